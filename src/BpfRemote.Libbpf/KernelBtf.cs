using System.Buffers;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Reads BTF objects out of the kernel.</summary>
internal static unsafe class KernelBtf
{
    /// <summary>The raw bytes of an open BTF object.</summary>
    internal static BtfBytes Read(SafeBpfHandle btf, string subject)
    {
        bpf_btf_info sized = default;
        ReadInfo(btf, ref sized, subject);
        int size = checked((int)sized.btf_size);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(size);
        fixed (byte* pointer = bytes)
        {
            // SAFETY: the kernel writes at most btf_size bytes, which the pinned array has. An object never changes its size.
            bpf_btf_info info = new() { btf = (ulong)pointer, btf_size = (uint)size };
            ReadInfo(btf, ref info, subject);
        }

        return new BtfBytes(bytes, size);
    }

    private static void ReadInfo(SafeBpfHandle btf, ref bpf_btf_info info, string subject)
    {
        uint length = (uint)sizeof(bpf_btf_info);
        int result;

        // SAFETY: the kernel writes at most `length` bytes, and to btf what the caller gave room for.
        fixed (bpf_btf_info* pointer = &info)
        {
            result = BpfObj.bpf_obj_get_info_by_fd(btf, pointer, &length);
        }

        if (result < 0)
        {
            throw new BpfException(nameof(BpfObj.bpf_obj_get_info_by_fd), (Errno)(-result), subject);
        }
    }
}
