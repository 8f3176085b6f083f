using System.Globalization;
using System.Text;

namespace BpfRemote.LockdownProbe;

/// <summary>A map that is open for reading only is pinned anew, and the new pin opened for writing.</summary>
internal static unsafe class RepinTrick
{
    private const nint SysBpf = 321;
    private const nint BPF_OBJ_PIN = 6;

    private static readonly List<Array> Kept = [];

    /// <param name="mapId">A map that this process holds.</param>
    /// <param name="path">Where to pin it.</param>
    /// <returns>The attack, on a file descriptor that is open already.</returns>
    public static Attack On(uint mapId, string path)
    {
        int fd = int.Parse(
            Path.GetFileName(Directory.GetFiles("/proc/self/fdinfo").First(file => Holds(file, mapId))),
            CultureInfo.InvariantCulture);
        return new("repin", SysBpf, BPF_OBJ_PIN, Attributes(path, fd), 16);
    }

    private static bool Holds(string fdInfo, uint mapId)
    {
        try
        {
            return File.ReadLines(fdInfo).Contains($"map_id:\t{mapId}");
        }
        catch (FileNotFoundException)
        {
            return false; // of the enumeration itself
        }
    }

    /// <summary>union bpf_attr for BPF_OBJ_*: u64 pathname, u32 bpf_fd, u32 file_flags. Never freed: the attack is made at any time.</summary>
    private static nint Attributes(string path, int fd)
    {
        byte[] text = GC.AllocateArray<byte>(Encoding.UTF8.GetByteCount(path) + 1, pinned: true);
        Encoding.UTF8.GetBytes(path, text);
        ulong[] attributes = GC.AllocateArray<ulong>(2, pinned: true);
        attributes[1] = (uint)fd;
        Kept.AddRange([text, attributes]);

        // SAFETY: both arrays are pinned and kept.
        fixed (byte* pathname = text)
        {
            attributes[0] = (ulong)pathname;
        }

        fixed (ulong* union = attributes)
        {
            return (nint)union;
        }
    }
}
