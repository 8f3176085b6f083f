using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf.Interop;

/// <summary>Calls on users and what they own: <c>pwd.h</c>, <c>unistd.h</c>.</summary>
internal static unsafe partial class Users
{
    private const string Library = "libc";

    /// <summary>NULL where there is no such user.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial passwd* getpwnam(string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    internal static partial int lchown(string path, uint owner, uint group);
}

/// <summary>The start of <c>struct passwd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct passwd
{
    internal byte* pw_name;
    internal byte* pw_passwd;
    internal uint pw_uid;
    internal uint pw_gid;
}
