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
        if (batch.Count == 0)
        {
            return;
        }

        int keySize = batch.Key(0).Length;
        int valueSize = batch.Value(0).Length;
        int entrySize = keySize + valueSize;
        int most = OutputBuffer.MaxReserve / entrySize;
        if (most == 0)
        {
            base.WriteEntries(batch);
            return;
        }

        ReadOnlySpan<byte> keys = batch.Keys.Span;
        ReadOnlySpan<byte> values = batch.Values.Span;
        for (int next = 0; next < batch.Count;)
        {
            int count = Math.Min(batch.Count - next, most);
            Span<byte> room = Output.Reserve(count * entrySize);
            for (; !room.IsEmpty; room = room[entrySize..], next++)
            {
                keys.Slice(next * keySize, keySize).CopyTo(room);
                values.Slice(next * valueSize, valueSize).CopyTo(room[keySize..]);
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
