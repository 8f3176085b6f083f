using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf.Separation;

/// <summary>A user of this machine.</summary>
/// <param name="Name">The name.</param>
/// <param name="Uid">The number.</param>
/// <param name="Gid">The number of its first group.</param>
public sealed unsafe record SystemUser(string Name, uint Uid, uint Gid)
{
    /// <summary>Looks a user up; null where there is none.</summary>
    public static SystemUser? Find(string name)
    {
        // SAFETY: libc returns a structure of its own that the next call overwrites, or NULL. It is read before anybody else asks.
        passwd* entry = Users.getpwnam(name);
        return entry is null ? null : new(name, entry->pw_uid, entry->pw_gid);
    }

    /// <summary>Makes a file or directory the user's. A symbolic link is not followed.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Own(string path)
    {
        if (Users.lchown(path, Uid, Gid) < 0)
        {
            throw new IOException($"lchown of {path} to {Name}: {((Errno)Marshal.GetLastPInvokeError()).Name()}");
        }
    }
}
