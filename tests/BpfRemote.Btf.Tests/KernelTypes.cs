using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Btf.Tests;

/// <summary>BTF that is in the kernel: handed to it, or read from it by id.</summary>
internal static unsafe partial class KernelTypes
{
    private const string Libbpf = "libbpf.so.1";

    /// <summary>Hands raw BTF to the kernel, which checks it.</summary>
    public static SafeFileHandle Load(ReadOnlySpan<byte> btf)
    {
        // SAFETY: the call reads btf.Length bytes and keeps no pointer.
        fixed (byte* bytes = btf)
        {
            return Opened(bpf_btf_load(bytes, (nuint)btf.Length, 0));
        }
    }

    public static byte[] Read(uint id)
    {
        using SafeFileHandle handle = Opened(bpf_btf_get_fd_by_id(id));
        byte[] btf = new byte[Info(handle, []).BtfSize];
        Info(handle, btf);
        return btf;
    }

    private static BtfInfo Info(SafeFileHandle handle, Span<byte> buffer)
    {
        // SAFETY: the kernel writes at most `length` bytes of info and `BtfSize` bytes of buffer, during the call.
        fixed (byte* bytes = buffer)
        {
            BtfInfo info = new() { Btf = (ulong)bytes, BtfSize = (uint)buffer.Length };
            uint length = (uint)sizeof(BtfInfo);
            Assert.Equal(0, bpf_obj_get_info_by_fd((int)handle.DangerousGetHandle(), &info, &length));
            return info;
        }
    }

    private static SafeFileHandle Opened(int result)
    {
        Assert.True(result >= 0, $"errno {-result}");
        return new(result, ownsHandle: true);
    }

    [LibraryImport(Libbpf)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int bpf_btf_load(byte* btf, nuint size, nint options);

    [LibraryImport(Libbpf)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int bpf_btf_get_fd_by_id(uint id);

    [LibraryImport(Libbpf)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int bpf_obj_get_info_by_fd(int fd, BtfInfo* info, uint* length);

    /// <summary><c>struct bpf_btf_info</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct BtfInfo
    {
        public ulong Btf;
        public uint BtfSize;
        public uint Id;
        public ulong Name;
        public uint NameLength;
        public uint KernelBtf;
    }
}
