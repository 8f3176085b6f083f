using System.Buffers.Binary;
using BpfRemote.Libbpf;

namespace BpfRemote.Simulation.Samples;

/// <summary>What a simulated node has loaded: a firewall, a profiler and a load balancer, with maps of most types.</summary>
public sealed class SampleMaps
{
    private static readonly BpfProgram Ingress = new(11, "fw_ingress", Type: 6);
    private static readonly BpfProgram Egress = new(12, "fw_egress", Type: 3);
    private static readonly BpfProgram Sampler = new(21, "sample_stacks", Type: 7);
    private static readonly BpfProgram Balancer = new(31, "balance", Type: 6);
    private static readonly OwnerProcess Firewall = new(812, "firewalld-bpf");
    private static readonly OwnerProcess Profiler = new(1377, "profiler");
    private static readonly OwnerProcess LoadBalancer = new(2048, "lb-agent");

    private readonly SimulatedMapSource _source;
    private readonly Random _random;
    private readonly List<Action<Random>> _writers = [];

    private SampleMaps(SimulatedMapSource source)
    {
        _source = source;
        _random = new Random(source.Seed);
    }

    /// <summary>Creates the maps, the same for the same seed.</summary>
    /// <returns>The writer that keeps changing some of them: ten steps a second are lifelike.</returns>
    public static Churn AddTo(SimulatedMapSource source)
    {
        SampleMaps samples = new(source);
        samples.AddFirewall();
        samples.AddProfiler();
        samples.AddLoadBalancer();
        return new Churn(source.Seed, samples._writers);
    }

    private void AddFirewall()
    {
        ConnectionTable connections = new(_source, _random);
        Use(connections.Map, Firewall, "/sys/fs/bpf/firewall/conn_table", Ingress, Egress);
        _writers.Add(connections.Write);

        PerCpuCounters drops = new(
            _source, BpfMapType.PerCpuArray, "drop_reasons", maxEntries: 16, [.. Enumerable.Range(0, 16).Select(i => (uint)i)]);
        Use(drops.Map, Firewall, "/sys/fs/bpf/firewall/drop_reasons", Ingress);
        _writers.Add(drops.Write);

        PerCpuCounters protocols = new(_source, BpfMapType.PerCpuHash, "proto_packets", maxEntries: 256, [1, 6, 17, 58, 132]);
        Use(protocols.Map, Firewall, pin: null, Ingress, Egress);
        _writers.Add(protocols.Write);

        AddRoutes();
        AddSettings();
        Use(Create(BpfMapType.RingBuf, "events", keySize: 0, valueSize: 0, maxEntries: 1 << 18), Firewall, pin: null, Egress);
        Use(Filled(Create(BpfMapType.Array, "counters", sizeof(uint), sizeof(ulong), maxEntries: 8)), Firewall, pin: null, Ingress);
        AddTailCalls();
    }

    private void AddProfiler()
    {
        SimulatedMap stacks = Create(BpfMapType.StackTrace, "stacks", sizeof(uint), valueSize: 8 * 16, maxEntries: 1024);
        byte[] addresses = new byte[stacks.Layout.ValueStride];
        for (int stack = 0; stack < 100; stack++)
        {
            int depth = _random.Next(2, 16);
            addresses.AsSpan().Clear();
            for (int frame = 0; frame < depth; frame++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(
                    addresses.AsSpan(frame * sizeof(ulong)), 0xffffffff81000000 + (ulong)_random.Next(1 << 24));
            }

            stacks.Update(BitConverter.GetBytes(_random.Next(1024)), addresses);
        }

        Use(stacks, Profiler, pin: null, Sampler);

        SimulatedMap work = Create(BpfMapType.Queue, "symbolize", keySize: 0, sizeof(ulong), maxEntries: 64);
        work.Push(1UL);
        Use(work, Profiler, pin: null, Sampler);
        _writers.Add(random =>
        {
            work.Push((ulong)random.Next());
            work.Delete([]);
        });

        Use(Create(BpfMapType.PerfEventArray, "perf_events", sizeof(uint), sizeof(uint), maxEntries: 4), Profiler, pin: null, Sampler);
        Use(Filled(Create(BpfMapType.Array, "counters", sizeof(uint), sizeof(ulong), maxEntries: 4)), Profiler, pin: null, Sampler);
    }

    private void AddLoadBalancer()
    {
        SimulatedMap cache = Create(BpfMapType.LruHash, "flow_cache", sizeof(uint), sizeof(ulong), maxEntries: 1024);
        for (uint flow = 0; flow < 1024; flow++)
        {
            cache.Set(flow, (ulong)_random.Next(16));
        }

        Use(cache, LoadBalancer, "/sys/fs/bpf/lb/flow_cache", Balancer);
        _writers.Add(random => cache.Set((uint)random.Next(1 << 20), (ulong)random.Next(16)));

        SimulatedMap[] backends = [AddBackends("backends_web", 5), AddBackends("backends_dns", 2), AddBackends("backends_ssh", 1)];
        SimulatedMap services = Create(BpfMapType.HashOfMaps, "services", sizeof(uint), sizeof(uint), maxEntries: 64);
        SimulatedMap rings = Create(BpfMapType.ArrayOfMaps, "rings", sizeof(uint), sizeof(uint), maxEntries: 4);
        (uint Port, uint Ring)[] places = [(443, 0), (53, 1), (22, 3)];
        foreach (((uint port, uint ring), SimulatedMap inner) in places.Zip(backends))
        {
            services.Set(port, inner.Id);
            rings.Set(ring, inner.Id);
        }

        Use(services, LoadBalancer, "/sys/fs/bpf/lb/services", Balancer);
        Use(rings, LoadBalancer, pin: null, Balancer);

        SimulatedMap ports = Create(BpfMapType.DevMap, "tx_ports", sizeof(uint), sizeof(ulong), maxEntries: 8);
        ports.Set(0u, 2UL);
        ports.Set(5u, 3UL | ((ulong)Balancer.Id << 32));
        Use(ports, LoadBalancer, pin: null, Balancer);

        SimulatedMap cpus = Create(BpfMapType.CpuMap, "rx_cpus", sizeof(uint), sizeof(uint), maxEntries: 4);
        cpus.Set(0u, 192u);
        cpus.Set(2u, 192u);
        Use(cpus, LoadBalancer, pin: null, Balancer);

        SimulatedMap sockets = Create(BpfMapType.SockHash, "sockets", sizeof(uint), sizeof(ulong), maxEntries: 64);
        for (uint cookie = 4097; cookie < 4109; cookie++)
        {
            sockets.Set(cookie * 7, (ulong)cookie);
        }

        Use(sockets, LoadBalancer, pin: null, Balancer);
    }

    private void AddRoutes()
    {
        SimulatedMap routes = Create(BpfMapType.LpmTrie, "routes", keySize: 8, valueSize: 8, maxEntries: 4096);
        routes.Set(Route(0, 0), 1UL);
        routes.Set(Route(8, 0x0a000000), 2UL);
        for (uint site = 0; site < 10; site++)
        {
            uint network = 0x0a000000 | (site << 16);
            routes.Set(Route(16, network), 2UL + site);
            for (uint rack = 0; rack < 20; rack++)
            {
                routes.Set(Route(24, network | (rack << 8)), (ulong)_random.Next(2, 32));
            }
        }

        Use(routes, Firewall, "/sys/fs/bpf/firewall/routes", Ingress, Egress);
    }

    private void AddSettings()
    {
        SimulatedMap settings = Create(BpfMapType.Array, "settings", sizeof(uint), sizeof(uint), maxEntries: 6);
        uint[] values = [1, 1500, 65_536, 30, 0, 0xdeadbeef];
        for (uint setting = 0; setting < values.Length; setting++)
        {
            settings.Set(setting, values[setting]);
        }

        settings.Freeze();
        Use(settings, Firewall, "/sys/fs/bpf/firewall/settings", Ingress, Egress);
    }

    private void AddTailCalls()
    {
        SimulatedMap calls = _source.CreateMap(
            new(BpfMapType.ProgArray, "tail_calls", sizeof(uint), sizeof(uint), MaxEntries: 8) { OwnerProgType = Ingress.Type });
        calls.Set(0u, 13u);
        calls.Set(1u, 14u);
        calls.Set(6u, 17u);
        Use(calls, Firewall, pin: null, Ingress);
    }

    private SimulatedMap AddBackends(string name, uint count)
    {
        SimulatedMap backends = Create(BpfMapType.Hash, name, sizeof(uint), sizeof(uint), maxEntries: 16);
        for (uint backend = 0; backend < count; backend++)
        {
            backends.Set(backend, 0xc0a80100 + (uint)_random.Next(1, 255));
        }

        _source.AddOwner(LoadBalancer, backends);
        return backends;
    }

    private SimulatedMap Filled(SimulatedMap counters)
    {
        for (uint counter = 0; counter < counters.Info.MaxEntries; counter++)
        {
            counters.Set(counter, (ulong)_random.Next(1_000_000));
        }

        return counters;
    }

    private SimulatedMap Create(BpfMapType type, string name, uint keySize, uint valueSize, uint maxEntries) =>
        _source.CreateMap(new(type, name, keySize, valueSize, maxEntries));

    private void Use(SimulatedMap map, OwnerProcess owner, string? pin, params ReadOnlySpan<BpfProgram> programs)
    {
        _source.AddOwner(owner, map);
        if (pin is not null)
        {
            _source.Pin(pin, map);
        }

        foreach (BpfProgram program in programs)
        {
            _source.AddProgram(program, map);
        }
    }

    private static Prefix Route(uint bits, uint network) =>
        new(bits, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(network) : network);

    /// <param name="Bits">How many bits count.</param>
    /// <param name="Network">An IPv4 address in network byte order.</param>
    private readonly record struct Prefix(uint Bits, uint Network);
}
