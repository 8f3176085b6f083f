using System.Globalization;
using BpfRemote.Btf;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Output;

/// <summary>Describes maps to people.</summary>
internal static class MapText
{
    // Columns that a table without the last one fits into.
    private const int NarrowWidth = 100;

    // BPF_F_* by bit, in lower case, as the kernel's enum lists them.
    private static readonly string[] FlagNames =
    [
        "no_prealloc", "no_common_lru", "numa_node", "rdonly", "wronly", "stack_build_id", "zero_seed", "rdonly_prog", "wronly_prog",
        "clone", "mmapable", "preserve_elems", "inner_map", "link", "path_fd", "vtype_btf_obj_fd", "token_fd", "segv_on_fault",
        "no_user_conv",
    ];

    /// <summary>A table of maps, a row each.</summary>
    /// <param name="maps">The maps.</param>
    /// <param name="width">Columns that fit on a line.</param>
    /// <param name="references">Whether to say below each row where the map is pinned and what uses it.</param>
    public static TextTable Table(IEnumerable<Map> maps, int width, bool references)
    {
        bool wide = width >= NarrowWidth;
        TextTable table = new(
        [
            ("ID", true), ("TYPE", false), ("NAME", false), ("KEY", true), ("VALUE", true), ("MAX ENTRIES", true), ("MEMORY", true),
            .. wide ? [("SCAN", false)] : Array.Empty<(string, bool)>(),
        ]);
        foreach (Map map in maps)
        {
            table.Add(
                [
                    $"{map.Id}", map.TypeName, map.Name, $"{map.KeySize}", $"{map.ValueSize}", $"{map.MaxEntries}", Size(map.MemlockBytes),
                    .. wide ? [Promise(map.ReadSupport)] : Array.Empty<string>(),
                ],
                references ? [.. References(map).Select(static line => $"{line.Label.ToLowerInvariant(),-8}  {line.Value}")] : []);
        }

        return table;
    }

    /// <summary>All there is to say of one map.</summary>
    /// <param name="map">The map.</param>
    /// <param name="schema">What its entries are; null where that is not known.</param>
    /// <param name="references">Whether where it is pinned and what uses it are known.</param>
    public static TextCard Card(Map map, MapSchema? schema, bool references)
    {
        TextCard card = new($"Map {map.Id}{(map.Name.Length > 0 ? $": {map.Name}" : "")}");
        card.Add("Type", map.TypeName);
        card.Add("Key", Bytes(map.KeySize) + Type(schema?.Key));
        card.Add("Value", Bytes(map.ValueSize) + (map.ValueKind == ValueKind.PerCpu ? " per CPU" : "") + Type(schema?.Value));
        card.Add("Max entries", map.MaxEntries.ToString(CultureInfo.InvariantCulture));
        card.Add("Memory", Size(map.MemlockBytes));
        card.Add("Flags", map.Flags == 0 ? "none" : $"0x{map.Flags:x} ({string.Join(", ", Flags(map.Flags))})");
        card.Add("Frozen", map.Frozen ? "yes" : "no");
        card.Add("BTF", map.BtfId == 0 ? "none" : $"id {map.BtfId}, key type {map.BtfKeyTypeId}, value type {map.BtfValueTypeId}");
        card.Add("Device", map.Ifindex == 0 ? [] : [$"ifindex {map.Ifindex}, namespace {map.NetnsDev}:{map.NetnsIno}"]);
        card.Add("Owner", map.OwnerProgType.Length == 0 ? [] : [$"{map.OwnerProgType} program, {(map.OwnerJited ? "" : "not ")}jited"]);
        card.Add("Scan", map.ReadSupport?.Reason is { Length: > 0 } reason ? [Promise(map.ReadSupport), reason] : [Promise(map.ReadSupport)]);
        if (references)
        {
            IEnumerable<(string Label, string Value)> unseen =
                map.OwnersComplete ? [] : [("Process", "(others may not be visible to the agent)")];
            foreach (IGrouping<string, (string Label, string Value)> group
                in References(map).Concat(unseen).GroupBy(static line => line.Label))
            {
                card.Add(group.Key, group.Select(static line => line.Value));
            }
        }

        return card;
    }

    /// <summary>A number of bytes, short.</summary>
    public static string Size(ulong bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
        {
            value /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    private static string Type(BtfValueLayout? layout) => layout is null ? "" : $", {layout.TypeName}";

    private static string Bytes(uint count) => count == 1 ? "1 byte" : $"{count} bytes";

    private static IEnumerable<string> Flags(uint flags) => Enumerable.Range(0, 32)
        .Where(bit => (flags >> bit & 1) != 0)
        .Select(static bit => bit < FlagNames.Length ? FlagNames[bit] : $"bit {bit}");

    private static string Promise(ReadSupport? support) => (support?.ReadMethod, support?.Guarantee) switch
    {
        (ReadMethod.None, _) => "not readable",
        (_, Guarantee.ExactlyOnce) => "exactly once",
        (_, Guarantee.Indexed) => "each index once",
        (_, Guarantee.BestEffort) => "best effort",
        (_, Guarantee.Sample) => "next value only",
        _ => "unknown",
    };

    private static IEnumerable<(string Label, string Value)> References(Map map)
    {
        foreach (string path in map.PinnedPaths)
        {
            yield return ("Pinned", path);
        }

        foreach (ProgramReference program in map.Programs)
        {
            yield return ("Program", $"{program.Id} {program.Type} {program.Name}");
        }

        foreach (OwnerProcess owner in map.Owners)
        {
            yield return ("Process", $"{owner.Pid} {owner.Comm}");
        }
    }
}
