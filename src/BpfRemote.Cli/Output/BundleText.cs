using System.Globalization;
using BpfRemote.Client;

namespace BpfRemote.Cli.Output;

/// <summary>Describes a bundle to people.</summary>
internal static class BundleText
{
    // Columns that a table with reasons beside it fits into; else they stand below.
    private const int NarrowWidth = 120;

    public static void Write(OutputBuffer output, Bundle bundle, int width, bool colour)
    {
        Card(bundle).Write(output, colour);
        output.Write("\n"u8);
        Table(bundle, width >= NarrowWidth).Write(output, colour);
    }

    private static TextCard Card(Bundle bundle)
    {
        BundleManifest manifest = bundle.Manifest;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        int whole = manifest.Maps.Count(static map => map.Complete);
        int part = manifest.Maps.Count(static map => !map.Complete && map.Entries > 0);
        ulong bytes = manifest.Maps.Aggregate(0UL, static (sum, map) => sum + map.Bytes);
        TextCard card = new($"Bundle {bundle.Path}");
        card.Add("Node", $"{bundle.Node.Hostname}, kernel {bundle.Node.KernelRelease}");
        card.Add("Boot", bundle.Node.BootId);
        card.Add(
            "Made",
            string.Create(invariant, $"{manifest.Created.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by client {manifest.ClientVersion}"));
        card.Add("Maps", $"{manifest.Maps.Count}, of which {whole} with all entries and {part} with some");
        card.Add("Size", $"{MapText.Size((ulong)new FileInfo(bundle.Path).Length)}, entries unpacked {MapText.Size(bytes)}");
        return card;
    }

    private static TextTable Table(Bundle bundle, bool wide)
    {
        TextTable table = new(("ID", true), ("TYPE", false), ("NAME", false), ("ENTRIES", true), ("SIZE", true), ("HELD", false));
        foreach (BundleMap contents in bundle.Manifest.Maps)
        {
            string held = contents.Complete ? "all" : contents.Entries > 0 ? "first ones" : "none";
            string[] notes =
            [
                .. contents.Reason is { } reason ? [reason] : Array.Empty<string>(),
                .. contents.BtfError is { } error ? [$"no types: {error}"] : Array.Empty<string>(),
            ];
            string[] cells =
            [
                $"{contents.Id}", bundle.Describe(contents).TypeName, contents.Name, $"{contents.Entries}", MapText.Size(contents.Bytes),
                wide && notes.Length > 0 ? $"{held}: {string.Join("; ", notes)}" : held,
            ];
            table.Add(cells, wide ? [] : notes);
        }

        return table;
    }
}
