using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Makes one value of those of all CPUs before it is written; maps with one value pass through.</summary>
internal sealed class CombinedEntryWriter(OutputBuffer output, EntryWriter writer, PerCpuMode mode) : EntryWriter(output)
{
    private CombinedValue? _combined;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        _combined = CombinedValue.Of(layout, schema, mode);
        writer.BeginMap(map, _combined?.Layout ?? layout, schema);
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        writer.WriteEntry(key, _combined is null ? value : _combined.Combine(value));

    public override void Flush() => writer.Flush();

    public override void EndMap(bool complete) => writer.EndMap(complete);

    public override void Close() => writer.Close();

    public override bool Fail(string message) => writer.Fail(message);
}
