using System.Net;
using System.Net.Sockets;
using BpfRemote.DemoMaps;
using BpfRemote.Libbpf;

namespace BpfRemote.Kernel.Tests.Harness;

/// <summary>The kernel of this machine.</summary>
public sealed class RealKernel : ITestKernel
{
    /// <summary>Where pins live.</summary>
    internal const string BpffsRoot = "/sys/fs/bpf";

    private const int ReferredCount = 3;
    private const SocketOptionName ReusePort = (SocketOptionName)15;
    private const SocketOptionName Cookie = (SocketOptionName)57;
    private const SocketOptionLevel SolSocket = (SocketOptionLevel)1;

    private readonly Lazy<WritableMap[]> _inner = new(() => Repeat(i => WritableMap.Create(
        new() { Type = BpfMapType.Array, Name = $"ktest_inner{i}", KeySize = 4, ValueSize = 8, MaxEntries = 1 })));

    private readonly Lazy<ReturnZeroProgram[]> _programs = new(() => Repeat(i => ReturnZeroProgram.Load($"ktest_prog{i}")));

    private readonly Lazy<Socket[]> _sockets = new(() => Repeat(_ => BoundSocket()));

    private readonly List<RealMap> _maps = [];

    private RealKernel(IMapSource source) => Source = source;

    public IMapSource Source { get; }

    /// <summary>Maps that map-in-map entries refer to; all of one shape.</summary>
    internal IReadOnlyList<WritableMap> InnerMaps => _inner.Value;

    /// <summary>Programs that prog_array entries refer to.</summary>
    internal IReadOnlyList<ReturnZeroProgram> Programs => _programs.Value;

    /// <summary>Sockets that socket map entries refer to.</summary>
    internal IReadOnlyList<Socket> Sockets => _sockets.Value;

    /// <summary>Opens the kernel; skips the test, with the reason, where this machine cannot run it.</summary>
    public static RealKernel OpenOrSkip()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to create maps and to open them by id");
        Assert.SkipUnless(Directory.Exists(BpffsRoot), $"needs a bpffs mounted at {BpffsRoot}");
        Assert.SkipUnless(Bpftool.Path is not null, "needs bpftool, to compare with");
        try
        {
            return new RealKernel(KernelMapSource.Create());
        }
        catch (BpfUnavailableException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    public ITestMap Create(MapShape shape) => CreateReal(shape);

    /// <summary>As <see cref="Create"/>.</summary>
    public RealMap CreateReal(MapShape shape)
    {
        RealMap map = new(this, shape);
        _maps.Add(map);
        return map;
    }

    public void Dispose()
    {
        _maps.ForEach(map => map.Dispose());
        Array.ForEach(_inner.IsValueCreated ? _inner.Value : [], map => map.Dispose());
        Array.ForEach(_programs.IsValueCreated ? _programs.Value : [], program => program.Dispose());
        Array.ForEach(_sockets.IsValueCreated ? _sockets.Value : [], socket => socket.Dispose());
    }

    /// <summary>SO_COOKIE, which is what a socket map shows of a socket.</summary>
    internal static byte[] CookieOf(Socket socket)
    {
        byte[] cookie = new byte[sizeof(ulong)];
        socket.GetRawSocketOption((int)SolSocket, (int)Cookie, cookie);
        return cookie;
    }

    private static Socket BoundSocket()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetRawSocketOption((int)SolSocket, (int)ReusePort, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static T[] Repeat<T>(Func<int, T> make) => [.. Enumerable.Range(0, ReferredCount).Select(make)];
}
