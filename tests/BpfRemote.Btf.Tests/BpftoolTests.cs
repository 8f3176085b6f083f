using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;

namespace BpfRemote.Btf.Tests;

/// <summary>Real maps, and what bpftool prints of them.</summary>
public sealed class BpftoolTests
{
    private readonly KernelMapSource _kernel;

    public BpftoolTests()
    {
        Bpftool.Require();
        _kernel = KernelMapSource.Create();
    }

    [Fact]
    public void Every_kind_of_value_is_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint value = EveryKind.AddTo(w);
        uint key = w.Int("unsigned int", 4);
        using WritableMap map = Create(w, BpfMapType.Hash, key, keySize: 4, value, EveryKind.Size, maxEntries: 500);
        Random random = new(1);
        for (int i = 0; i < 500; i++)
        {
            map.Update(BitConverter.GetBytes(i), EveryKind.Value(random));
        }

        Assert.Equal(500, Bpftool.AssertAlike(InfoOf(map)));
    }

    [Fact]
    public void Values_of_every_CPU_are_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint value = w.Struct("counters", 12, ("hits", word, 0), ("misses", word, 32), ("errors", word, 64));
        using WritableMap map = Create(w, BpfMapType.PerCpuArray, word, keySize: 4, value, valueSize: 12, maxEntries: 3);
        for (int i = 0; i < 3; i++)
        {
            byte[] values = new byte[map.ValueStride];
            new Random(i).NextBytes(values);
            map.Update(BitConverter.GetBytes(i), values);
        }

        Assert.Equal(3, Bpftool.AssertAlike(InfoOf(map)));
    }

    [Fact]
    public void Sections_are_written_as_bpftool_does()
    {
        BtfWriter w = new();
        uint word = w.Int("unsigned int", 4);
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint text = w.Array(character, 8, word);
        uint pair = w.Struct("pair", 8, ("a", word, 0), ("b", word, 32));
        uint section = w.DataSec(
            ".rodata", 24,
            (w.Var("limit", w.Const(word), 1), 0, 4),
            (w.Var("name", w.Const(text), 1), 4, 8),
            (w.Var("range", w.Volatile(pair), 1), 12, 8));
        using WritableMap map = Create(w, BpfMapType.Array, keyType: 0, keySize: 4, section, valueSize: 24, maxEntries: 1);
        map.Update(BitConverter.GetBytes(0), [1, 0, 0, 0, .. "name"u8, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);

        Assert.Equal(1, Bpftool.AssertAlike(InfoOf(map)));
    }

    private static WritableMap Create(
        BtfWriter types, BpfMapType type, uint keyType, uint keySize, uint valueType, uint valueSize, uint maxEntries)
    {
        using SafeFileHandle loaded = KernelTypes.Load(types.ToArray());
        return WritableMap.Create(new()
        {
            Type = type,
            Name = "btf_test",
            KeySize = keySize,
            ValueSize = valueSize,
            MaxEntries = maxEntries,
            Btf = loaded,
            BtfKeyTypeId = keyType,
            BtfValueTypeId = valueType,
        });
    }

    private MapInfo InfoOf(WritableMap map)
    {
        using IBpfMap opened = _kernel.OpenById(map.Id);
        return opened.Info;
    }
}
