using System.Globalization;

namespace BpfRemote.DemoMaps;

/// <summary>The command line of <c>bpfremote-demo-maps</c>.</summary>
internal sealed record DemoOptions
{
    internal const string Usage = """
        Usage: bpfremote-demo-maps [--entries N] [--pin-dir DIR] [--still]

        Makes four maps with BTF, pins them, and keeps changing them until SIGTERM or SIGINT.
        Then it removes the pins, and the maps go with them. It prints "ready" when all is in place.

          --entries N     connections in conn_table, 1 to 1000000 (default 1000)
          --pin-dir DIR   directory for the pins, on a bpffs (default /sys/fs/bpf/bpfremote-demo)
          --still         fill the maps and leave them as they are
        """;

    private const int MaxEntries = 1_000_000;

    internal int Entries { get; private init; } = 1000;
    internal string PinDirectory { get; private init; } = $"{Bpffs.Root}/bpfremote-demo";
    internal bool Still { get; private init; }
    internal bool Help { get; private init; }

    /// <exception cref="FormatException">An argument that is not understood; the message says which.</exception>
    internal static DemoOptions Parse(ReadOnlySpan<string> arguments) => arguments switch
    {
        [] => new(),
        ["--help" or "-h", ..] => new() { Help = true },
        ["--still", .. var rest] => Parse(rest) with { Still = true },
        ["--entries", var count, .. var rest] => Parse(rest) with { Entries = ParseEntries(count) },
        ["--pin-dir", ['/', ..] directory, .. var rest] => Parse(rest) with { PinDirectory = directory.TrimEnd('/') },
        ["--pin-dir", var directory, ..] => throw new FormatException($"--pin-dir {directory}: an absolute path is needed"),
        ["--entries" or "--pin-dir"] => throw new FormatException($"{arguments[0]} needs a value"),
        [var other, ..] => throw new FormatException($"'{other}' is not an option"),
    };

    private static int ParseEntries(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= MaxEntries
            ? count
            : throw new FormatException($"--entries {text}: a number from 1 to {MaxEntries} is needed");
}
