using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Samples;

/// <summary>conn_table: what a firewall knows of its connections.</summary>
internal sealed class ConnectionTable
{
    private const int OpenConnections = 20_000;
    private const int BusyConnectionsPerStep = 50;
    private const uint Tcp = 6;
    private const uint Udp = 17;

    private readonly SimulatedMapSource _source;
    private readonly (Connection Connection, Traffic Traffic)[] _open = new (Connection, Traffic)[OpenConnections];
    private uint _opened;

    public ConnectionTable(SimulatedMapSource source, Random random)
    {
        _source = source;
        Map = source.CreateMap(new(BpfMapType.Hash, "conn_table", KeySize: 16, ValueSize: 32, MaxEntries: 65_536));
        for (int slot = 0; slot < _open.Length; slot++)
        {
            Open(slot, random, now: 0);
        }
    }

    public SimulatedMap Map { get; }

    /// <summary>Packets arrive on some connections, and one closes in favour of another.</summary>
    public void Write(Random random)
    {
        ulong now = _source.ReadClocks().Monotonic;
        for (int packet = 0; packet < BusyConnectionsPerStep; packet++)
        {
            ref (Connection Connection, Traffic Traffic) busy = ref _open[random.Next(_open.Length)];
            busy.Traffic = new Traffic(
                busy.Traffic.Packets + 1, busy.Traffic.Bytes + (ulong)random.Next(64, 1500), busy.Traffic.FirstSeen, now);
            Map.Set(busy.Connection, busy.Traffic);
        }

        int closing = random.Next(_open.Length);
        Map.Remove(_open[closing].Connection);
        Open(closing, random, now);
    }

    private void Open(int slot, Random random, ulong now)
    {
        // The running number is the client's address and port, so that no connection is opened twice.
        uint number = _opened++;
        Connection connection = new(
            Source: 0x0a000000 | (number / 20_000),
            Destination: 0xc0a80000 | (uint)random.Next(256),
            SourcePort: (ushort)(40_000 + (number % 20_000)),
            DestinationPort: random.Next(3) == 0 ? (ushort)53 : (ushort)443,
            Protocol: random.Next(3) == 0 ? Udp : Tcp);
        ulong packets = (ulong)random.Next(1, 1000);
        Traffic traffic = new(packets, packets * (ulong)random.Next(64, 1500), now, now);
        _open[slot] = (connection, traffic);
        Map.Set(connection, traffic);
    }

    private readonly record struct Connection(
        uint Source, uint Destination, ushort SourcePort, ushort DestinationPort, uint Protocol);

    /// <param name="Packets">Packets seen.</param>
    /// <param name="Bytes">Bytes seen.</param>
    /// <param name="FirstSeen">Nanoseconds since boot.</param>
    /// <param name="LastSeen">Nanoseconds since boot.</param>
    private readonly record struct Traffic(ulong Packets, ulong Bytes, ulong FirstSeen, ulong LastSeen);
}
