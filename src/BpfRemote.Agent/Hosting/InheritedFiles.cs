using System.Globalization;

namespace BpfRemote.Agent.Hosting;

/// <summary>What a server gets from the broker that starts it, as file descriptors.</summary>
/// <param name="Opens">The channel for opening maps.</param>
/// <param name="Walks">The channel for walks.</param>
/// <param name="Hangups">A pipe: a byte for each SIGHUP that the broker is sent.</param>
/// <param name="Sockets">Bound sockets: one for each unix endpoint, in the order of the options.</param>
public sealed record InheritedFiles(int Opens, int Walks, int Hangups, IReadOnlyList<int> Sockets)
{
    /// <summary>Reads what <see cref="ToString"/> wrote; null where that did not write it.</summary>
    public static InheritedFiles? TryParse(string text)
    {
        List<int> files = [];
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int file))
            {
                return null;
            }

            files.Add(file);
        }

        return files.Count >= 3 ? new(files[0], files[1], files[2], files[3..]) : null;
    }

    /// <summary>Says what went wrong, and as whom the server runs where that is why: the broker may well read the file.</summary>
    public static string Explain(Exception failure, bool isServer) => isServer && failure is UnauthorizedAccessException
        ? $"{failure.Message} The server runs as user '{Environment.UserName}', who must be able to use it."
        : failure.Message;

    /// <summary>As on the server's command line.</summary>
    public override string ToString() => string.Join(',', (int[])[Opens, Walks, Hangups, .. Sockets]);
}
