using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using BpfRemote.Btf;
using BpfRemote.Btf.Tests;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client.Tests;

/// <summary>The code of the package's README, compiled and run; the README holds it word for word.</summary>
public sealed partial class ReadmeTests
{
    private static readonly FakeMapService Service = new(25);

    [Fact]
    public async Task Connect_list_scan()
    {
        string path = Path.Combine(Path.GetTempPath(), $"bpfremote-{Environment.ProcessId}.sock");
        await using FakeAgent agent = await FakeAgent.StartAsync(Service, options => FakeAgent.ListenOnSocket(options, path));
        string address = $"unix://{path}";
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;

        // readme
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = address });

        await foreach (Map map in client.ListMapsAsync(cancellationToken: cancellationToken))
        {
            Console.WriteLine($"{map.Id}: {map.TypeName} {map.Name}, up to {map.MaxEntries} entries");
        }

        MapScan scan = client.Scan(MapSelectors.ByPinnedPath("/sys/fs/bpf/connections"));
        await foreach (MapBatch batch in scan.WithCancellation(cancellationToken))
        {
            foreach (MapEntry entry in batch)
            {
                Console.WriteLine($"{Convert.ToHexString(entry.Key)}: {Convert.ToHexString(entry.Value)}");
            }
        }
        // end

        AssertInReadme();
    }

    [Fact]
    public void Who_you_are_and_whom_you_trust()
    {
        string address = "https://node-1:7443";

        // readme
        BpfRemoteClientOptions options = new()
        {
            Address = address,
            TlsCaFile = "/etc/bpfremote/ca.pem",             // the roots of the agents; the system's where absent
            TlsCertificateFile = "/etc/bpfremote/tls.crt",   // PEM, with its intermediates
            TlsKeyFile = "/etc/bpfremote/tls.key",           // PEM, not encrypted
        };
        // end

        BpfRemoteClient.Connect(options).Dispose();
        AssertInReadme();
    }

    [Fact]
    public async Task Page_and_continue_later()
    {
        await using FakeAgent agent = await FakeAgent.StartAsync(Service);
        using BpfRemoteClient client = agent.Connect();
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        uint mapId = 7;
        int stored = 0;
        Task StoreAsync(ReadOnlyMemory<byte> keys, ReadOnlyMemory<byte> values)
        {
            Assert.Equal(keys.Length / FakeMapService.KeySize, values.Length / FakeMapService.ValueSize);
            stored += keys.Length / FakeMapService.KeySize;
            return Task.CompletedTask;
        }

        // readme
        string? token = null;
        do
        {
            ScanOptions page = new() { Limit = 10_000, ContinuationToken = token };
            await foreach (MapBatch batch in client.Scan(MapSelectors.ById(mapId), page).WithCancellation(cancellationToken))
            {
                await StoreAsync(batch.Keys, batch.Values);
                token = batch.ContinuationToken;
            }
        }
        while (token?.Length > 0);
        // end

        Assert.Equal(25, stored);
        AssertInReadme();
    }

    [Fact]
    public async Task Look_up_keys()
    {
        await using FakeAgent agent = await FakeAgent.StartAsync(Service);
        using BpfRemoteClient client = agent.Connect();
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        byte[] keys = [1, 0, 0, 0, 2, 1, 0, 0];

        // readme
        LookupResult result = await client.LookupAsync(MapSelectors.ByName("connections"), keys, cancellationToken);
        for (int i = 0; i < result.Count; i++)
        {
            Console.WriteLine(result.IsFound(i) ? Convert.ToHexString(result.Value(i)) : "not found");
        }
        // end

        Assert.Equal(2, result.Count);
        AssertInReadme();
    }

    [Fact]
    public async Task Values_as_what_they_are()
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint pair = types.Struct("stats", 8, ("packets", word, 0), ("bytes", word, 32));
        FakeMapService service = new(25) { Btf = _ => WholeAsync(types.ToArray()) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        Map map = service.Map.Clone();
        map.BtfKeyTypeId = word;
        map.BtfValueTypeId = pair;

        // readme
        MapSchema? schema = await client.GetSchemaAsync(map, cancellationToken);
        if (schema is not null)
        {
            await foreach (MapBatch batch in client.Scan(MapSelectors.ById(map.Id)).WithCancellation(cancellationToken))
            {
                foreach (MapEntry entry in batch)
                {
                    Console.WriteLine(schema.Value.Read(entry.Value)["packets"].ReadUInt64());
                }
            }
        }
        // end

        AssertInReadme();
        Assert.NotNull(schema);
        await foreach (MapBatch batch in client.Scan(MapSelectors.ById(map.Id)).WithCancellation(cancellationToken))
        {
            ReadInto(schema, batch);
        }
    }

    private static void ReadInto(MapSchema schema, MapBatch batch)
    {
        // readme
        BtfRecord<Stats> stats = new(schema.Value);
        foreach (MapEntry entry in batch)
        {
            Stats value = stats.Read(entry.Value);
            Console.WriteLine($"{value.Packets} packets, {value.Bytes} bytes");
        }

        if (stats.IsBlittable)
        {
            ReadOnlySpan<Stats> all = stats.Cast(batch.Values.Span); // not copied
        }
        // end

        Assert.True(stats.IsBlittable);
        Assert.Equal(batch.Count, stats.Cast(batch.Values.Span).Length);
        AssertInReadme();
    }

    private static async IAsyncEnumerable<GetBtfResponse> WholeAsync(byte[] data)
    {
        await Task.Yield();
        yield return new()
        {
            TotalSize = (ulong)data.Length,
            Sha256 = ByteString.CopyFrom(SHA256.HashData(data)),
            Data = ByteString.CopyFrom(data),
        };
    }

    private struct Stats
    {
#pragma warning disable CS0649 // BtfRecord fills them
        public uint Packets;
        public uint Bytes;
#pragma warning restore CS0649
    }

    [Fact]
    public async Task Bundles()
    {
        FakeMaps node = new();
        node.Add(7, "seven", 12);
        node.Add(8, "eight", 12);
        await using FakeAgent agent = await FakeAgent.ServeAsync(node);
        using BpfRemoteClient client = agent.Connect();
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        string path = Path.GetTempFileName();
        uint mapId = 7;
        byte[] key = [3];

        // readme
        BundleOptions options = new() { MapIds = new HashSet<uint> { mapId }, MaxEntriesPerMap = 10_000 };
        BundleManifest manifest = await Bundle.CreateAsync(client, path, options, cancellationToken);
        foreach (BundleMap map in manifest.Maps.Where(map => !map.Complete))
        {
            Console.WriteLine($"{map.Name}: {map.Entries} entries: {map.Reason}");
        }

        using BpfRemoteClient bundle = BpfRemoteClient.Connect(new() { Address = $"file:{path}" });
        LookupResult found = await bundle.LookupAsync(MapSelectors.ById(mapId), key, cancellationToken);
        // end

        File.Delete(path);
        Assert.Equal(103, found.Value(0)[0]);
        AssertInReadme();
    }

    [Fact]
    public async Task Errors()
    {
        ScanOptions options = new() { ContinuationToken = "10" };
        List<string?> tokens = [];
        FakeMapService service = new(25);
        service.EndAfter(0, Ending.Status(Grpc.Core.StatusCode.FailedPrecondition, "TOKEN_EXPIRED"));
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        async Task ScanAsync(ScanOptions scan)
        {
            tokens.Add(scan.ContinuationToken);
            await client.Scan(MapSelectors.ById(7), scan).ReadAsync(service);
        }

        // readme
        try
        {
            await ScanAsync(options);
        }
        catch (ContinuationTokenException)
        {
            await ScanAsync(options with { ContinuationToken = null });
        }
        catch (BpfRemoteException error) when (error.Reason == ErrorReason.MapNameAmbiguous)
        {
            Console.WriteLine($"Which of these maps? {error.Metadata["map_ids"]}");
        }
        // end

        Assert.Equal(["10", null], tokens);
        AssertInReadme();
    }

    [GeneratedRegex(@"^ {8}// readme\n(.*?)^ {8}// end$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example { get; }

    private static void AssertInReadme([CallerLineNumber] int line = 0, [CallerFilePath] string file = "")
    {
        // The example that ends last before the line of the call.
        string before = string.Join('\n', File.ReadLines(file).Take(line));
        string example = Example.Matches(before)[^1].Groups[1].Value;
        string unindented = string.Join('\n', example.Split('\n').Select(each => each.Length >= 8 ? each[8..] : each));
        string readme = Path.Combine(Path.GetDirectoryName(file)!, "../../src/BpfRemote.Client/README.md");
        Assert.Contains(unindented, File.ReadAllText(readme), StringComparison.Ordinal);
    }
}
