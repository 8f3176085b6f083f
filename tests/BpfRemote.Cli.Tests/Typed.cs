using System.Text;
using BpfRemote.Btf.Tests;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

/// <summary>Entries whose types are known: connections, as a program counts them.</summary>
internal static class Typed
{
    public static readonly Layout Layout = new() { KeySize = 8, ValueSize = 16, ValueStride = 16, ValueKind = ValueKind.Raw };

    public static readonly Layout PerCpu = new()
    {
        KeySize = 8,
        ValueSize = 16,
        ValueStride = 32,
        ValueKind = ValueKind.PerCpu,
        PossibleCpuIds = { 0, 8 },
    };

    /// <summary>10.0.0.<paramref name="host"/>, port 443, three bytes of padding but one.</summary>
    public static byte[] Key(byte host) => [10, 0, 0, host, 1, 0xbb, 0xee, 0xee];

    public static byte[] Value(byte packets, byte state) => [packets, 0, 0, 0, 0, 0, 0, 0, (byte)'h', (byte)'i', (byte)'"', (byte)',', state, 0, 0, 0];

    public static BtfWriter Types(out uint key, out uint value)
    {
        BtfWriter types = new();
        uint u8 = types.Int("unsigned char", 1);
        uint u64 = types.Int("unsigned long long", 8);
        uint character = types.Int("char", 1, Btf.BtfIntEncoding.Signed);
        uint be16 = types.Typedef("__be16", types.Int("unsigned short", 2));
        uint be32 = types.Typedef("__be32", types.Int("unsigned int", 4));
        uint state = types.Enum("state", 4, signed: false, ("NEW", 0), ("OPEN", 1));
        key = types.Struct("key", 8, ("saddr", be32, 0), ("dport", be16, 32), ("__pad2", types.Array(u8, 2, u8), 48));
        value = types.Struct("value", 16, ("packets", u64, 0), ("comm", types.Array(character, 4, u8), 64), ("state", state, 96));
        return types;
    }

    public static MapSchema Schema()
    {
        BtfWriter types = Types(out uint key, out uint value);
        return MapSchema.Create(new() { KeySize = 8, ValueSize = 16 }, types.Parse(), key, value);
    }

    public static Display Wide { get; } = new() { Width = int.MaxValue, Colour = false };

    /// <summary>What a writer makes of entries.</summary>
    public static string Write(
        Func<OutputBuffer, EntryWriter> create, Layout layout, MapSchema? schema, params ReadOnlySpan<(byte[] Key, byte[] Value)> entries)
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        EntryWriter writer = create(output);
        writer.BeginMap(new(), layout, schema);
        foreach ((byte[] key, byte[] value) in entries)
        {
            writer.WriteEntry(key, value);
        }

        writer.EndMap(complete: true);
        writer.Close();
        output.Flush();
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
