using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using BpfRemote.DemoMaps;
using BpfRemote.Libbpf.Separation;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace BpfRemote.Libbpf.Tests.Separation;

/// <summary>Requests of a server that was taken over: the broker answers each, opens nothing that it may not, and leaks nothing.</summary>
[Collection(nameof(Alone))]
public sealed class BrokerFuzzTests
{
    private const int DirectRequests = 1_000_000;
    private const int SocketRequests = 50_000;
    private const int Seed = 4;

    /// <summary>A walk takes milliseconds, so a million of them is more than a test has time for.</summary>
    private const int RequestsPerWalk = 10_000;

    [Theory]
    [InlineData(MapAccess.Enumerate)]
    [InlineData(MapAccess.Pins)]
    public void A_million_requests_open_only_what_the_mode_allows_and_leak_nothing(MapAccess mode)
    {
        using WritableMap map = Kernel.Filled(BpfMapType.Hash, 1, 0);
        string pin = $"/sys/fs/bpf/fuzz-{Guid.NewGuid():n}";
        map.Pin(pin);
        try
        {
            BrokerRequests requests = new(new DirectAccess(), mode);
            Random random = new(Seed);
            int open = OpenObjects();
            Dictionary<BrokerRequest, int> opened = [];
            for (int i = 0; i < DirectRequests; i++)
            {
                BrokerMessage request = RandomRequest(random, map.Id, pin);
                int ends = 0;
                SafeBpfHandle? passed = null;
                requests.Answer(request, (in BrokerMessage answer, SafeBpfHandle? handle) =>
                {
                    Assert.Equal(0, ends);
                    ends += (BrokerAnswer)answer.Kind is BrokerAnswer.Done or BrokerAnswer.Failed ? 1 : 0;
                    passed = handle;
                    if (handle is not null)
                    {
                        CollectionsMarshal.GetValueRefOrAddDefault(opened, (BrokerRequest)request.Kind, out _)++;
                    }
                });
                Assert.Equal(1, ends);
                Assert.NotEqual(false, passed?.IsClosed);
            }

            BrokerRequest[] allowed = mode is MapAccess.Pins
                ? [BrokerRequest.OpenPin]
                : [BrokerRequest.OpenMap, BrokerRequest.OpenBtf, BrokerRequest.OpenPin];
            Assert.Equal(allowed, opened.Keys.Order());
            Assert.All(opened.Values, count => Assert.True(count > 100, $"opened {count} times only: the requests are no good"));
            Assert.Equal(open, OpenObjects());
        }
        finally
        {
            File.Delete(pin);
        }
    }

    [Fact]
    public void Messages_of_any_size_are_answered_on_the_socket_and_leak_nothing()
    {
        using WritableMap map = Kernel.Filled(BpfMapType.Hash, 1, 0);
        BrokerRequests requests = new(new DirectAccess(), MapAccess.Enumerate);
        int open = OpenObjects();
        (BrokerChannel ours, SafeFileHandle theirs) = BrokerChannel.CreatePair();
        Thread broker = new(() => Broker.Serve(ours, requests)) { IsBackground = true };
        broker.Start();
        using BrokerChannel served = ours;
        using (Socket server = new(new SafeSocketHandle(theirs.DangerousGetHandle(), ownsHandle: true)))
        {
            theirs.SetHandleAsInvalid();
            Random random = new(Seed);
            byte[] message = new byte[8_192];
            byte[] answer = new byte[message.Length];
            for (int i = 0; i < SocketRequests; i++)
            {
                random.NextBytes(message);
                int length = random.Next(4) == 0 ? random.Next(1, message.Length) : Unsafe.SizeOf<BrokerMessage>();
                if (random.Next(2) == 0)
                {
                    BrokerMessage request = RandomRequest(random, map.Id, "/sys/fs/bpf");
                    MemoryMarshal.Write(message, request);
                }

                server.Send(message.AsSpan(0, length));
                BrokerAnswer kind;
                do
                {
                    Assert.Equal(Unsafe.SizeOf<BrokerMessage>(), server.Receive(answer));
                    kind = (BrokerAnswer)MemoryMarshal.Read<uint>(answer);
                }
                while (kind == BrokerAnswer.Item);
                Assert.True(kind is BrokerAnswer.Done or BrokerAnswer.Failed);
                Assert.True(length == Unsafe.SizeOf<BrokerMessage>() || kind == BrokerAnswer.Failed, $"{length} bytes were taken for a request");
            }
        }

        // With the server's end gone it ends by itself, and only then is its channel taken away.
        Assert.True(broker.Join(TimeSpan.FromSeconds(10)));
        Assert.Equal(open, OpenObjects());
    }

    [Fact]
    public void What_a_server_passes_is_not_taken()
    {
        using WritableMap map = Kernel.Filled(BpfMapType.Hash, 1, 0);
        using SafeBpfHandle handle = new DirectAccess().OpenMap(map.Id);
        (BrokerChannel ours, SafeFileHandle theirs) = BrokerChannel.CreatePair();
        using BrokerChannel broker = ours;
        using BrokerChannel server = new(theirs);
        int open = OpenObjects();

        server.Send(new() { Kind = (uint)BrokerRequest.NextMapId, First = 7 }, handle);

        Assert.True(broker.TryReceive(out BrokerMessage request));
        Assert.Equal((BrokerRequest.NextMapId, 7u), ((BrokerRequest)request.Kind, request.First));
        Assert.Equal(open, OpenObjects());
    }

    private static BrokerMessage RandomRequest(Random random, uint mapId, string pin)
    {
        BrokerMessage request = default;
        request.Kind = random.Next(10) switch
        {
            0 => (uint)random.NextInt64(uint.MaxValue),
            1 when random.Next(RequestsPerWalk / 10) == 0 => (uint)random.Next((int)BrokerRequest.ReadPins, (int)BrokerRequest.ReadPrograms + 1),
            _ => (uint)random.Next(0, (int)BrokerRequest.ReadPins),
        };
        request.First = random.Next(3) switch
        {
            0 => (uint)random.NextInt64(1L << 32),
            1 => mapId,
            _ => (uint)random.Next(10),
        };
        request.Second = (uint)random.NextInt64(1L << 32);
        request.Text = random.Next(4) switch
        {
            0 => pin,
            1 => pin[..random.Next(pin.Length)],
            2 => new string((char)random.Next(1, 0xd800), random.Next(1_000)),
            _ => Mutated(random, pin),
        };
        return request;
    }

    private static string Mutated(Random random, string text)
    {
        StringBuilder mutated = new(text);
        mutated[random.Next(text.Length)] = (char)random.Next(1, 128);
        return mutated.ToString();
    }

    /// <summary>Maps, programs and BTF objects that this process holds, but for what other tests left to the collector.</summary>
    private static int OpenObjects()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return new DirectoryInfo("/proc/self/fd").GetFileSystemInfos()
            .Count(file => file.LinkTarget is { } target
                && (target.StartsWith("anon_inode:bpf-", StringComparison.Ordinal) || target == "anon_inode:btf"));
    }
}
