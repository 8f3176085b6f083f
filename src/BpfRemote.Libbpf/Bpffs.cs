using System.IO.Enumeration;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf.Interop;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Libbpf;

/// <summary>The file systems that hold pins.</summary>
internal static unsafe class Bpffs
{
    private static readonly EnumerationOptions OneDirectory = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint, // a symbolic link leads out of the bpffs, or to a pin found anyway
        IgnoreInaccessible = true,
    };

    /// <summary>Whether a path leads to something on a bpffs.</summary>
    internal static bool Holds(string path)
    {
        statfs_head status;

        // SAFETY: the structure is longer than any architecture's struct statfs.
        return Libc.statfs(path, &status) == 0 && status.f_type == Libc.BPF_FS_MAGIC;
    }

    /// <summary>Walks every mounted bpffs for pinned maps that this process may open.</summary>
    internal static PinnedMaps ReadPins(CancellationToken cancellationToken)
    {
        SortedSet<string> mountPoints =
            new(MountInfo.MountPoints(File.ReadLines("/proc/self/mountinfo"), "bpf"), StringComparer.Ordinal);
        List<(uint MapId, string Path)> pins = [];
        Stack<string> directories = new(mountPoints);
        while (directories.TryPop(out string? directory))
        {
            // Something else may be mounted over a bpffs, or inside of it.
            if (!Holds(directory))
            {
                continue;
            }

            foreach ((string path, bool isDirectory) in Entries(directory))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (isDirectory && !mountPoints.Contains(path))
                {
                    directories.Push(path);
                }
                else if (!isDirectory && PinnedMapId(path) is { } mapId)
                {
                    pins.Add((mapId, path));
                }
            }
        }

        return PinnedMaps.From(pins);
    }

    /// <summary>Opens a pin by the path that it has: a symbolic link on the way is refused, for whoever may make one in a directory
    /// could have the agent take another pin for one that lies there.</summary>
    /// <exception cref="BpfException">The kernel refused. ELOOP: there is a symbolic link on the way.</exception>
    internal static SafeBpfHandle Open(string path)
    {
        using SafeFileHandle place = Locate(path);
        bpf_obj_get_opts options = new() { sz = (nuint)sizeof(bpf_obj_get_opts), file_flags = BpfObj.BPF_F_RDONLY };

        // SAFETY: libbpf reads options.sz bytes during the call and keeps no pointer.
        int result = BpfObj.bpf_obj_get_opts($"/proc/self/fd/{place.DangerousGetHandle()}", &options);

        // The kernel says EACCES, too, for a directory and for what lies on another file system.
        if ((Errno)(-result) == Errno.EACCES && (Directory.Exists(path) || !Holds(path)))
        {
            result = -(int)Errno.EINVAL;
        }

        return SafeBpfHandle.Wrap(result, nameof(BpfObj.bpf_obj_get_opts), path);
    }

    /// <summary>A file descriptor of what lies at a path, through which it can be opened and not be read.</summary>
    private static SafeFileHandle Locate(string path)
    {
        open_how how = new() { flags = Libc.O_PATH | Libc.O_CLOEXEC, resolve = Libc.RESOLVE_NO_SYMLINKS };

        // SAFETY: the kernel reads the path and the structure during the call.
        nint result = Libc.openat2(Libc.OpenAt2Call, Libc.AT_FDCWD, path, &how, (nuint)sizeof(open_how));
        return result >= 0
            ? new(result, ownsHandle: true)
            : throw new BpfException(nameof(Libc.openat2), (Errno)Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Null where the path is a pinned program or link, may not be opened, or is gone meanwhile.</summary>
    private static uint? PinnedMapId(string path)
    {
        try
        {
            using SafeBpfHandle pinned = Open(path);
            return FdInfo.Read(pinned.FdInfoPath).MapId;
        }
        catch (BpfException)
        {
            return null;
        }
    }

    private static List<(string Path, bool IsDirectory)> Entries(string directory)
    {
        try
        {
            return
            [
                .. new FileSystemEnumerable<(string, bool)>(
                    directory, (ref FileSystemEntry entry) => (entry.ToFullPath(), entry.IsDirectory), OneDirectory),
            ];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
