using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Finds the programs that use maps.</summary>
internal static unsafe class ProgramWalk
{
    /// <exception cref="BpfException">EPERM: the process may not list programs.</exception>
    internal static MapPrograms ReadPrograms(CancellationToken cancellationToken)
    {
        List<(uint MapId, BpfProgram Program)> uses = [];
        for (uint? id = NextId(0); id is not null; id = NextId(id.Value))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int fd = BpfProg.bpf_prog_get_fd_by_id(id.Value);
            if ((Errno)(-fd) == Errno.ENOENT)
            {
                continue; // unloaded meanwhile
            }

            using SafeBpfHandle program = SafeBpfHandle.Wrap(fd, nameof(BpfProg.bpf_prog_get_fd_by_id), $"program {id}");
            AddUses(program, uses);
        }

        return MapPrograms.From(uses);
    }

    private static uint? NextId(uint after)
    {
        uint next;

        // SAFETY: the kernel writes one id.
        Errno error = (Errno)(-BpfProg.bpf_prog_get_next_id(after, &next));
        return error switch
        {
            Errno.None => next,
            Errno.ENOENT => null,
            _ => throw new BpfException(nameof(BpfProg.bpf_prog_get_next_id), error, $"program {after}"),
        };
    }

    private static void AddUses(SafeBpfHandle program, List<(uint MapId, BpfProgram Program)> uses)
    {
        bpf_prog_info counted = default;
        ReadInfo(program, ref counted);
        if (counted.nr_map_ids == 0)
        {
            return;
        }

        uint[] mapIds = new uint[counted.nr_map_ids];
        fixed (uint* ids = mapIds)
        {
            // SAFETY: the kernel writes at most nr_map_ids ids, which is the length of the pinned array.
            bpf_prog_info info = new() { nr_map_ids = (uint)mapIds.Length, map_ids = (ulong)ids };
            ReadInfo(program, ref info);

            // A program may be bound to another map between the calls: then there are more ids than were written.
            int written = (int)Math.Min(info.nr_map_ids, (uint)mapIds.Length);
            BpfProgram user = new(info.id, KernelMapInfo.Text(info.name), info.type) { RecursionMisses = info.recursion_misses };
            uses.AddRange(mapIds.Take(written).Select(mapId => (mapId, user)));
        }
    }

    private static void ReadInfo(SafeBpfHandle program, ref bpf_prog_info info)
    {
        uint length = (uint)sizeof(bpf_prog_info);
        int result;

        // SAFETY: the kernel writes at most `length` bytes, and to map_ids what the caller gave room for.
        fixed (bpf_prog_info* pointer = &info)
        {
            result = BpfObj.bpf_obj_get_info_by_fd(program, pointer, &length);
        }

        if (result < 0)
        {
            throw new BpfException(nameof(BpfObj.bpf_obj_get_info_by_fd), (Errno)(-result), "a program");
        }
    }
}
