using System.Text.Json;
using BpfRemote.Client;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.V1;

namespace BpfRemote.EndToEnd.Tracing;

/// <summary>The entries of a map, keys and values in hexadecimal: as bpftool prints them, and as the agent gives them.</summary>
/// <remarks>
/// Per-CPU values are put in a row without padding. A value that the kernel refuses is empty. Where a program prints the entries, the
/// whole of what it prints of one follows the value: what it is, or the error.
/// </remarks>
internal sealed class MapDump
{
    private readonly Dictionary<string, string> _entries = [];
    private bool _isPrinted;

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>How many of them are shown as what they are.</summary>
    public int TypedCount => _entries.Values.Count(static value => value.Contains("\"formatted\":", StringComparison.Ordinal));

    /// <summary>What <c>bpftool -j map dump</c> prints; nothing where it cannot read the map.</summary>
    public static Task<MapDump> ByBpftoolAsync(uint mapId, CancellationToken cancellationToken) =>
        ByProgramAsync(Require.Program("bpftool"), ["-j", "map", "dump", "id", $"{mapId}"], cancellationToken);

    /// <summary>What <c>bpfremote -j map dump</c> prints; nothing where the agent cannot read the map.</summary>
    public static Task<MapDump> ByCommandLineAsync(string address, uint mapId, CancellationToken cancellationToken) =>
        ByProgramAsync(
            Require.BuiltPath("CommandLineProgram"), ["--address", address, "-j", "map", "dump", "id", $"{mapId}"], cancellationToken);

    /// <summary>What the agent gives.</summary>
    public static async Task<MapDump> ByAgentAsync(BpfRemoteClient client, uint mapId, CancellationToken cancellationToken)
    {
        MapDump dump = new();
        await foreach (MapBatch batch in client.Scan(MapSelectors.ById(mapId)).WithCancellation(cancellationToken))
        {
            foreach (MapEntry entry in batch)
            {
                dump._entries.Add(Convert.ToHexStringLower(entry.Key), ValueOf(entry, batch.Layout));
            }
        }

        return dump;
    }

    /// <summary>What in this dump contradicts two others, of which one was made before it and one after; null for nothing. What they
    /// do not agree upon was changing.</summary>
    /// <param name="before">The one before.</param>
    /// <param name="after">The one after.</param>
    /// <param name="hasFixedKeys">Whether the map can have no key that the others lack. In a hash one can come and go between them:
    /// tools keep there what has begun and not ended, for microseconds.</param>
    public string? FindContradiction(MapDump before, MapDump after, bool hasFixedKeys)
    {
        foreach ((string key, string value) in before._entries)
        {
            string expected = Known(value);
            if (after._entries.GetValueOrDefault(key) == value && _entries.GetValueOrDefault(key) != expected)
            {
                return $"key {key}: {_entries.GetValueOrDefault(key) ?? "missing"}, expected {expected}";
            }
        }

        return hasFixedKeys && _entries.Keys.FirstOrDefault(key => !before._entries.ContainsKey(key)) is { } unknown
            ? $"key {unknown}: unknown"
            : null;
    }

    // The agent sends bytes, and their meaning is the client's matter.
    private string Known(string value) => _isPrinted ? value : value.Split('{')[0];

    private static async Task<MapDump> ByProgramAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        CommandResult result = await Command.RunAsync(program, arguments, cancellationToken);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        MapDump dump = new() { _isPrinted = true };
        foreach (JsonElement entry in json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement.EnumerateArray() : default)
        {
            string value = entry.TryGetProperty("values", out JsonElement perCpu)
                ? string.Concat(perCpu.EnumerateArray().Select(cpu => Hex(cpu.GetProperty("value"))))
                : Hex(entry.GetProperty("value"));

            // Not Add: bpftool walks by key and may come by one twice, where the agent must not.
            dump._entries[Hex(entry.GetProperty("key"))] = value + entry.GetRawText();
        }

        return dump;
    }

    private static string ValueOf(MapEntry entry, Layout layout)
    {
        if (layout.ValueKind != ValueKind.PerCpu)
        {
            return Convert.ToHexStringLower(entry.Value);
        }

        string value = "";
        for (int block = 0; block < layout.PossibleCpuIds.Count; block++)
        {
            value += Convert.ToHexStringLower(entry.ValueOfCpu(block));
        }

        return value;
    }

    private static string Hex(JsonElement bytes) => bytes.ValueKind == JsonValueKind.Array
        ? string.Concat(bytes.EnumerateArray().Select(item => item.GetString()![2..].PadLeft(2, '0')))
        : "";
}
