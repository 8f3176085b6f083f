using System.Globalization;
using BpfRemote.V1;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Cli.Output;

/// <summary>Describes a node to people.</summary>
internal static class NodeText
{
    public static TextCard Card(Node node)
    {
        TextCard card = new($"Node {node.Hostname}");
        card.Add("Kernel", node.KernelRelease);
        card.Add("Boot", node.BootId);
        card.Add("CPUs", $"{node.PossibleCpuIds.Count} possible ({Ranges(node.PossibleCpuIds)}), {Order(node.ByteOrder)}");
        card.Add("Agent", node.AgentVersion + (node.LibbpfVersion.Length > 0 ? $", libbpf {node.LibbpfVersion}" : ""));
        card.Add("Started", node.StartTime is null ? [] : [$"{node.StartTime.ToDateTimeOffset():yyyy-MM-dd HH:mm:ss} UTC"]);
        card.Add("You are", node.Principal);
        card.Add("Access", node.AccessMode switch
        {
            AccessMode.Enumerate => "every map of the node",
            AccessMode.Pins => "pinned maps only",
            AccessMode.Simulated => "simulated maps, no kernel",
            _ => "unknown",
        });
        card.Add("Lockdown", Lockdown(node.Lockdown ?? new()));
        card.Add("Limits", Limits(node.Limits ?? new()));
        card.Add("Features", node.Features.Count > 0 ? string.Join(", ", node.Features) : "none");
        return card;
    }

    private static string Order(ByteOrder order) => order switch
    {
        ByteOrder.LittleEndian => "little endian",
        ByteOrder.BigEndian => "big endian",
        _ => "byte order unknown",
    };

    private static string Lockdown(Lockdown lockdown)
    {
        string[] parts =
        [
            .. lockdown.NoNewPrivs ? ["no new privileges"] : Array.Empty<string>(),
            .. lockdown.Seccomp ? ["seccomp filter"] : Array.Empty<string>(),
            .. lockdown.PrivilegesSeparated ? ["privileges separated"] : Array.Empty<string>(),
        ];
        return parts.Length > 0 ? string.Join(", ", parts) : "none";
    }

    private static IEnumerable<string> Limits(Limits limits)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        yield return $"responses of {MapText.Size(limits.TargetResponseBytes)}, at most {MapText.Size(limits.MaxResponseBytes)}"
            + $" or {limits.MaxBatchSize} entries";
        yield return $"lookups of {limits.MaxLookupKeys} keys, pages of {limits.MaxPageSize} maps, requests of "
            + MapText.Size(limits.MaxRequestBytes);
        yield return string.Create(invariant, $"{limits.MaxConcurrentScans} scans at once, each for ")
            + $"{Time(limits.MaxStreamAge)} and {limits.MaxScanRestarts} restarts, {Time(limits.WriteTimeout)} for a write";
        yield return string.Create(invariant, $"gentle scans take {limits.GentleCpuShare:P0} of one CPU");
    }

    private static string Time(Duration? duration) => duration?.ToTimeSpan() switch
    {
        null => "any time",
        { TotalMinutes: >= 1, Seconds: 0 } time => $"{(int)time.TotalMinutes} min",
        { } time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s"),
    };

    // 0-3,8 rather than 0,1,2,3,8.
    private static string Ranges(RepeatedField<uint> ids)
    {
        List<string> ranges = [];
        for (int first = 0; first < ids.Count;)
        {
            int last = first;
            while (last + 1 < ids.Count && ids[last + 1] == ids[last] + 1)
            {
                last++;
            }

            ranges.Add(first == last ? $"{ids[first]}" : $"{ids[first]}-{ids[last]}");
            first = last + 1;
        }

        return string.Join(',', ranges);
    }
}
