using System.Text;

namespace BpfRemote.Libbpf;

/// <summary>/proc/PID/mountinfo, see proc(5).</summary>
internal static class MountInfo
{
    private const int MountPointField = 4;

    /// <summary>Where file systems of one type are mounted, in the order of the file.</summary>
    /// <param name="lines">Lines of mountinfo.</param>
    /// <param name="fileSystemType">Such as <c>bpf</c>.</param>
    internal static IEnumerable<string> MountPoints(IEnumerable<string> lines, string fileSystemType)
    {
        foreach (string line in lines)
        {
            // A variable number of optional fields ends with a lone dash; the type comes after it.
            string[] halves = line.Split(" - ", 2);
            string[] fields = halves[0].Split(' ');
            if (halves.Length == 2 && fields.Length > MountPointField && halves[1].Split(' ', 2)[0] == fileSystemType)
            {
                yield return Unescape(fields[MountPointField]);
            }
        }
    }

    /// <summary>The kernel writes space, tab, newline and backslash as a backslash and three octal digits.</summary>
    private static string Unescape(string path)
    {
        if (!path.Contains('\\', StringComparison.Ordinal))
        {
            return path;
        }

        StringBuilder text = new(path.Length);
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] == '\\' && i + 3 < path.Length)
            {
                text.Append((char)(((path[i + 1] - '0') << 6) | ((path[i + 2] - '0') << 3) | (path[i + 3] - '0')));
                i += 3;
            }
            else
            {
                text.Append(path[i]);
            }
        }

        return text.ToString();
    }
}
