using System.Globalization;
using BpfRemote.Client;

namespace BpfRemote.Cli.Output;

/// <summary>Describes a bundle to people.</summary>
internal static class BundleText
{
    // Those beside types, names and reasons, with what is between all of them.
    private const int OtherColumns = 34;

    public static void Write(OutputBuffer output, Bundle bundle, int width, bool colour)
    {
        Card(bundle).Write(output, colour);
        output.Write("\n"u8);
        Table(bundle, width).Write(output, colour);
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

    // Reasons stand beside what they are for where there is room, else below.
    private static TextTable Table(Bundle bundle, int width)
    {
        TextTable table = new(("ID", true), ("TYPE", false), ("NAME", false), ("ENTRIES", true), ("SIZE", true), ("HELD", false));
        int room = width - LongestTypeAndName(bundle) - OtherColumns;
        foreach (BundleMap contents in bundle.Manifest.Maps)
        {
            string held = contents.Complete ? "all" : contents.Entries > 0 ? "first ones" : "none";
            string[] notes =
            [
                .. contents.Reason is { } reason ? [reason] : Array.Empty<string>(),
                .. contents.BtfError is { } error ? [$"no types: {error}"] : Array.Empty<string>(),
            ];
            string told = notes.Length > 0 ? $"{held}: {string.Join("; ", notes)}" : held;
            bool fits = told.Length <= room;
            string[] cells =
            [
                $"{contents.Id}", bundle.Describe(contents).TypeName, contents.Name, $"{contents.Entries}", MapText.Size(contents.Bytes),
                fits ? told : held,
            ];
            table.Add(cells, fits ? [] : notes);
        }

        return table;
    }

    private static int LongestTypeAndName(Bundle bundle) =>
        bundle.Manifest.Maps.Select(map => bundle.Describe(map).TypeName.Length).DefaultIfEmpty().Max()
        + bundle.Manifest.Maps.Select(static map => map.Name.Length).DefaultIfEmpty().Max();
}
