using System.Net;
using System.Runtime.InteropServices;
using BpfRemote.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary>
/// <c>conn_table</c>: a hash of connections as a firewall or a load balancer keeps it. Their number stays the same while
/// old ones go and new ones come.
/// </summary>
/// <remarks>Connections are numbered in the order they come, and the number alone gives the key.</remarks>
internal sealed class ConnectionTable : IDisposable
{
    private const int ClientPorts = 28_000;
    private const int FirstClientPort = 32_768;
    private const int BatchEntries = 4096;
    private const ulong ClosingPackets = 1200;

    private const byte Tcp = 6;
    private const byte Udp = 17;

    private static readonly (byte Host, ushort Port, byte Protocol)[] Services =
        [(10, 443, Tcp), (10, 80, Tcp), (21, 5432, Tcp), (22, 6379, Tcp), (30, 9092, Tcp), (53, 53, Udp)];

    private readonly TimeProvider _time;
    private readonly Random _random = new(Seed: 1);
    private readonly ConnStats[] _stats;
    private long _oldest;

    /// <param name="connections">How many there are at any time.</param>
    /// <param name="time">Its timestamps are CLOCK_MONOTONIC in ns on Linux, as bpf_ktime_get_ns.</param>
    internal ConnectionTable(int connections, TimeProvider time)
    {
        _time = time;
        _stats = new ConnStats[connections];
        Map = CreateMap(connections);
        for (int i = 0; i < connections; i++)
        {
            _stats[i] = Opened();
            Pass(ref _stats[i], packets: _random.Next(1, 1000));
        }

        Write(_oldest, connections);
    }

    internal WritableMap Map { get; }

    /// <summary>One in a hundred connections is replaced, and one in ten passes packets.</summary>
    internal void Advance()
    {
        int replaced = (_stats.Length / 100) + 1;
        for (int i = 0; i < replaced; i++)
        {
            ConnKey gone = KeyOf(_oldest);
            Map.Delete(MemoryMarshal.AsBytes(new ReadOnlySpan<ConnKey>(in gone)));
            StatsOf(_oldest + _stats.Length) = Opened();
            _oldest++;
        }

        Write(_oldest + _stats.Length - replaced, replaced);

        int passing = (_stats.Length / 10) + 1;
        long first = _oldest + _random.Next(_stats.Length);
        for (long connection = first; connection < first + passing; connection++)
        {
            Pass(ref StatsOf(connection), _random.Next(1, 200));
        }

        // Those that wrapped round are the oldest ones again.
        long newest = _oldest + _stats.Length;
        int unwrapped = (int)Math.Min(passing, newest - first);
        Write(first, unwrapped);
        Write(_oldest, passing - unwrapped);
    }

    public void Dispose() => Map.Dispose();

    private ref ConnStats StatsOf(long connection) => ref _stats[connection % _stats.Length];

    private ConnStats Opened() => new() { LastSeenNs = (ulong)_time.GetTimestamp(), State = ConnState.New };

    private void Pass(ref ConnStats stats, int packets)
    {
        stats.Packets += (ulong)packets;
        stats.Bytes += (ulong)packets * (ulong)_random.Next(60, 1460);
        stats.Retransmits += packets % 97 == 0 ? 1u : 0;
        stats.LastSeenNs = (ulong)_time.GetTimestamp();
        stats.State = stats.Packets > ClosingPackets ? ConnState.Closing : ConnState.Established;
    }

    private void Write(long first, int count)
    {
        Span<ConnKey> keys = new ConnKey[Math.Min(count, BatchEntries)];
        Span<ConnStats> values = new ConnStats[keys.Length];
        for (int done = 0, part; done < count; done += part)
        {
            part = Math.Min(count - done, BatchEntries);
            for (int i = 0; i < part; i++)
            {
                keys[i] = KeyOf(first + done + i);
                values[i] = StatsOf(first + done + i);
            }

            Map.UpdateBatch(MemoryMarshal.AsBytes(keys[..part]), MemoryMarshal.AsBytes(values[..part]), part);
        }
    }

    /// <summary>Different for each connection: two with one address (16 bits of the number) differ in the port.</summary>
    private static ConnKey KeyOf(long connection)
    {
        int client = (int)(connection * 40_503 & 0xffff);
        (byte host, ushort port, byte protocol) = Services[client % Services.Length];
        return new()
        {
            SourceAddress = Be32(0x0a000000 | client), // 10.0.0.0/16
            DestinationAddress = Be32(0x0a600000 | host), // 10.96.0.0/24
            SourcePort = Be16(FirstClientPort + (int)(((connection >> 16) + (client * 7)) % ClientPorts)),
            DestinationPort = Be16(port),
            Protocol = protocol,
        };
    }

    private static uint Be32(int value) => (uint)IPAddress.HostToNetworkOrder(value);

    private static ushort Be16(int value) => (ushort)IPAddress.HostToNetworkOrder((short)value);

    private static unsafe WritableMap CreateMap(int connections)
    {
        using BtfBuilder btf = new();
        CTypes c = new(btf);
        uint key = btf.Struct(
            "conn_key",
            ("saddr", c.Be32), ("daddr", c.Be32), ("sport", c.Be16), ("dport", c.Be16), ("proto", c.U8), ("pad", c.Array(c.U8, 3)));
        uint state = btf.Enum("conn_state", "CONN_NEW", "CONN_ESTABLISHED", "CONN_CLOSING");
        uint value = btf.Struct(
            "conn_stats",
            ("packets", c.U64), ("bytes", c.U64), ("last_seen_ns", c.U64), ("state", state), ("retransmits", c.U32));
        using var loaded = btf.Load();
        return WritableMap.Create(new()
        {
            Type = BpfMapType.Hash,
            Name = "conn_table",
            KeySize = (uint)sizeof(ConnKey),
            ValueSize = (uint)sizeof(ConnStats),
            MaxEntries = (uint)(connections + (connections / 4) + 64),
            Btf = loaded,
            BtfKeyTypeId = key,
            BtfValueTypeId = value,
        });
    }

    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct ConnKey
    {
        public uint SourceAddress;
        public uint DestinationAddress;
        public ushort SourcePort;
        public ushort DestinationPort;
        public byte Protocol;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ConnStats
    {
        public ulong Packets;
        public ulong Bytes;
        public ulong LastSeenNs;
        public ConnState State;
        public uint Retransmits;
    }

    private enum ConnState : uint
    {
        New,
        Established,
        Closing,
    }
}
