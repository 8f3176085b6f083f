using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using BpfRemote.Libbpf.Interop;

namespace BpfRemote.Libbpf;

/// <summary>Finds the processes that hold a file descriptor of a map.</summary>
internal sealed unsafe class ProcessWalk
{
    /// <summary>What /proc/PID/fd/N of a map links to, on every kernel.</summary>
    private static ReadOnlySpan<byte> MapLink => "anon_inode:bpf-map"u8;

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    private readonly HashSet<(uint MapId, OwnerProcess Owner)> _owners = [];
    private bool _complete = true;

    /// <summary>Walks all processes but some.</summary>
    internal static MapOwners ReadOwners(IReadOnlyList<int> exceptPids, CancellationToken cancellationToken)
    {
        ProcessWalk walk = new();
        foreach (uint pid in Numbers("/proc"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!exceptPids.Contains((int)pid))
            {
                walk.Try(() => walk.ReadProcess(pid, cancellationToken));
            }
        }

        return MapOwners.From(walk._owners, walk._complete);
    }

    private void ReadProcess(uint pid, CancellationToken cancellationToken)
    {
        // fdinfo lists the same numbers as fd, but no links, which enumeration would follow: one may lead to a dead mount.
        foreach (uint fd in Numbers($"/proc/{pid}/fdinfo"))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (IsMap(pid, fd))
            {
                Try(() => AddOwner(pid, fd));
            }
        }
    }

    private void AddOwner(uint pid, uint fd)
    {
        if (FdInfo.Read($"/proc/{pid}/fdinfo/{fd}").MapId is { } mapId)
        {
            Span<byte> comm = stackalloc byte[64];
            _owners.Add((mapId, new(pid, Encoding.UTF8.GetString(ProcFile.Read($"/proc/{pid}/comm", comm).TrimEnd((byte)'\n')))));
        }
    }

    private bool IsMap(uint pid, uint fd)
    {
        Span<byte> path = stackalloc byte[64];
        Utf8.TryWrite(path, CultureInfo.InvariantCulture, $"/proc/{pid}/fd/{fd}\0", out _);

        // One byte longer than the link looked for, so that a longer one differs.
        Span<byte> target = stackalloc byte[MapLink.Length + 1];
        nint length;

        // SAFETY: the path is zero-terminated, and at most target.Length bytes are written.
        fixed (byte* pathBytes = path, targetBytes = target)
        {
            length = Libc.readlink(pathBytes, targetBytes, (nuint)target.Length);
        }

        if (length < 0)
        {
            _complete &= (Errno)Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ESRCH;
            return false;
        }

        return target[..(int)length].SequenceEqual(MapLink);
    }

    /// <summary>Reads what may go away meanwhile, which is no matter, or be forbidden, which is.</summary>
    private void Try(Action read)
    {
        try
        {
            read();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _complete &= ProcFile.IsGone(failure);
        }
    }

    /// <summary>The entries of a directory that are numbers.</summary>
    private static FileSystemEnumerable<uint> Numbers(string directory) =>
        new FileSystemEnumerable<uint>(directory, (ref FileSystemEntry entry) => Number(entry.FileName) ?? 0, Everything)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => Number(entry.FileName) is not null,
        };

    private static uint? Number(ReadOnlySpan<char> name) =>
        uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;
}
