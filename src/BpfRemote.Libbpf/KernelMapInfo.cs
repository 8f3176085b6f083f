using System.Text;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Asks the kernel what a map is.</summary>
internal static unsafe class KernelMapInfo
{
    /// <summary>More than any kernel's <c>struct bpf_map_info</c>: 88 bytes on 6.1, 104 on 6.18.</summary>
    private const int BufferLength = 256;

    /// <exception cref="BpfException">EINVAL: the file descriptor is of something else than a map.</exception>
    internal static MapInfo Read(SafeBpfHandle map, string subject)
    {
        // Info of a program would have another layout, and only fdinfo tells them apart.
        FdInfo fdInfo = FdInfo.Read(map.FdInfoPath);
        if (fdInfo.MapId is null)
        {
            throw new BpfException(nameof(BpfObj.bpf_obj_get_info_by_fd), Errno.EINVAL, subject);
        }

        byte* buffer = stackalloc byte[BufferLength];
        new Span<byte>(buffer, BufferLength).Clear();
        uint length = BufferLength;

        // SAFETY: the kernel writes at most `length` bytes, and refuses (E2BIG) rather than read beyond what it knows.
        int result = BpfObj.bpf_obj_get_info_by_fd(map, buffer, &length);
        if (result < 0)
        {
            throw new BpfException(nameof(BpfObj.bpf_obj_get_info_by_fd), (Errno)(-result), subject);
        }

        // SAFETY: the buffer is longer than the structure; what an older kernel does not fill stays 0.
        ref readonly bpf_map_info info = ref *(bpf_map_info*)buffer;
        return new()
        {
            Id = info.id,
            Type = (BpfMapType)info.type,
            Name = Text(info.name),
            KeySize = info.key_size,
            ValueSize = info.value_size,
            MaxEntries = info.max_entries,
            Flags = info.map_flags,
            MapExtra = info.map_extra,
            Frozen = fdInfo.Frozen,
            MemlockBytes = fdInfo.MemlockBytes,
            BtfId = info.btf_id,
            BtfKeyTypeId = info.btf_key_type_id,
            BtfValueTypeId = info.btf_value_type_id,
            BtfVmlinuxValueTypeId = info.btf_vmlinux_value_type_id,
            InterfaceIndex = info.ifindex,
            NetnsDevice = info.netns_dev,
            NetnsInode = info.netns_ino,
            OwnerProgType = fdInfo.OwnerProgType,
            OwnerJited = fdInfo.OwnerJited,
        };
    }

    /// <summary>A zero-terminated name; the kernel admits ASCII letters, digits, <c>_</c> and <c>.</c> only.</summary>
    internal static string Text(ReadOnlySpan<byte> name)
    {
        int end = name.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? name : name[..end]);
    }
}
