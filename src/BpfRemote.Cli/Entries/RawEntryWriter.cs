using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes key and value bytes of one entry after the other with nothing between, per-CPU padding included.</summary>
internal sealed class RawEntryWriter(OutputBuffer output) : EntryWriter(output)
{
    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
    }

    /// <remarks>As many at a time as there is room for: to ask for it took longer than to copy.</remarks>
    public override void WriteEntries(MapBatch batch)
    {
        int entrySize = (batch.Keys.Length + batch.Values.Length) / Math.Max(batch.Count, 1);
        int most = OutputBuffer.MaxReserve / Math.Max(entrySize, 1);
        if (most == 0)
        {
            base.WriteEntries(batch);
            return;
        }

        int keySize = batch.Keys.Length / Math.Max(batch.Count, 1);
        ReadOnlySpan<byte> keys = batch.Keys.Span;
        ReadOnlySpan<byte> values = batch.Values.Span;
        for (int left = batch.Count; left > 0;)
        {
            int count = Math.Min(left, most);
            Span<byte> room = Output.Reserve(count * entrySize);
            for (int end = left - count; left > end; left--)
            {
                keys[..keySize].CopyTo(room);
                values[..(entrySize - keySize)].CopyTo(room[keySize..]);
                keys = keys[keySize..];
                values = values[(entrySize - keySize)..];
                room = room[entrySize..];
            }

            Output.Advance(count * entrySize);
        }
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Output.Write(key);
        Output.Write(value);
    }
}
