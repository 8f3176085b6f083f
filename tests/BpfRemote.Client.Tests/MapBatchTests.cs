using System.Buffers.Binary;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client.Tests;

public sealed class MapBatchTests
{
    [Fact]
    public void Reading_entries_allocates_nothing()
    {
        const int Count = 100_000;
        Layout layout = new() { KeySize = 4, ValueSize = 5, ValueStride = 16, ValueKind = ValueKind.PerCpu, PossibleCpuIds = { 0, 2 } };
        MapBatch batch = Batch(layout, Count);
        long Sum()
        {
            long sum = 0;
            foreach (MapEntry entry in batch)
            {
                sum += BinaryPrimitives.ReadInt32LittleEndian(entry.Key) + entry.Value.Length + entry.ValueOfCpu(1)[0];
            }

            for (int i = 0; i < batch.Count; i++)
            {
                sum += batch.Key(i)[0] + batch.Value(i)[0];
            }

            return sum;
        }

        long expected = Sum();
        long before = GC.GetAllocatedBytesForCurrentThread();
        long sum = Sum();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(expected, sum);
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Entries_lie_one_after_the_other()
    {
        Layout layout = new() { KeySize = 3, ValueSize = 5, ValueStride = 5 };
        MapBatch batch = Batch(layout, 4);

        int i = 0;
        foreach (MapEntry entry in batch)
        {
            Assert.Equal(batch.Keys.Slice(i * 3, 3).Span, entry.Key);
            Assert.Equal(batch.Values.Slice(i * 5, 5).Span, entry.Value);
            Assert.Equal(batch.Key(i), entry.Key);
            Assert.Equal(batch.Value(i), entry.Value);
            i++;
        }

        Assert.Equal(4, i);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Key(4).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Value(-1).Length);
    }

    [Fact]
    public void The_value_of_a_cpu_has_no_padding()
    {
        Layout layout = new() { KeySize = 4, ValueSize = 5, ValueStride = 24, ValueKind = ValueKind.PerCpu, PossibleCpuIds = { 0, 2, 3 } };
        MapBatch batch = Batch(layout, 2);

        foreach (MapEntry entry in batch)
        {
            for (int block = 0; block < 3; block++)
            {
                Assert.Equal(entry.Value.Slice(block * 8, 5), entry.ValueOfCpu(block));
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => First(batch).ValueOfCpu(3).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => First(batch).ValueOfCpu(-1).Length);
        layout.ValueKind = ValueKind.Raw;
        Assert.Throws<InvalidOperationException>(() => First(batch).ValueOfCpu(0).Length);
    }

    private static MapEntry First(MapBatch batch)
    {
        MapBatch.Enumerator entries = batch.GetEnumerator();
        Assert.True(entries.MoveNext());
        return entries.Current;
    }

    private static MapBatch Batch(Layout layout, int count)
    {
        byte[] keys = new byte[count * (int)layout.KeySize];
        byte[] values = new byte[count * (int)layout.ValueStride];
        new Random(1).NextBytes(keys);
        new Random(2).NextBytes(values);
        LookupBatchResponse response = new()
        {
            Count = (uint)count,
            Keys = UnsafeByteOperations.UnsafeWrap(keys),
            Values = UnsafeByteOperations.UnsafeWrap(values),
        };
        return new(response, layout);
    }
}
