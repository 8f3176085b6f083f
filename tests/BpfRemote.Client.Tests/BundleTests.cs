using System.IO.Compression;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

/// <summary>Bundles as they are made and read.</summary>
public sealed class BundleTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-bundle-");
    private readonly FakeMaps _node = new();

    private string Path => System.IO.Path.Combine(_directory.FullName, "case.zip");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_bundle_answers_as_the_agent_did()
    {
        Map map = _node.Add(7, "seven", 12, "/sys/fs/bpf/seven");
        _node.Add(9, "nine", 0);
        BundleManifest manifest = await CreateAsync();

        Assert.Equal([(7u, 12ul, 24ul, true), (9u, 0ul, 0ul, true)], manifest.Maps.Select(static m => (m.Id, m.Entries, m.Bytes, m.Complete)));
        using BpfRemoteClient client = Open();
        Assert.Equal(map, await client.GetMapAsync(MapSelectors.ById(7), MapView.Full, Cancelled));
        Assert.Equal(Enumerable.Range(0, 12), await ScanAsync(client, MapSelectors.ByPinnedPath("/sys/fs/bpf/seven")));
        Assert.Empty(await ScanAsync(client, MapSelectors.ByName("nine")));
        Node node = await client.GetNodeAsync(Cancelled);
        Assert.Equal(("node-1", "bundle"), (node.Hostname, node.Principal));
    }

    [Fact]
    public async Task Who_made_a_bundle_is_not_in_it_and_only_its_owner_may_read_it()
    {
        await CreateAsync();
        using ZipArchive zip = await ZipFile.OpenReadAsync(Path, Cancelled);
        using StreamReader node = new(await zip.GetEntry("node.json")!.OpenAsync(Cancelled));
        string text = await node.ReadToEndAsync(Cancelled);
        Assert.Contains("node-1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("anonymous", text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        }
    }

    [Fact]
    public async Task Maps_are_listed_by_filters_views_and_pages()
    {
        _node.Add(1, "one", 0, "/sys/fs/bpf/a/one");
        _node.Add(2, "two", 0, "/sys/fs/bpf/two");
        _node.Add(3, "three", 0);
        _node.Maps[3].Map.Type = MapType.Array;
        await CreateAsync();
        using BpfRemoteClient client = Open();

        Assert.Equal("1,2,3", await IdsAsync(new() { PageSize = 1 }));
        Assert.Equal("2,3", await IdsAsync(new() { NameGlob = "t*" }));
        Assert.Equal("2", await IdsAsync(new() { PinnedPathGlob = "/sys/fs/bpf/*" }));
        Assert.Equal("3", await IdsAsync(new() { Types_ = { MapType.Array } }));
        Map basic = await client.GetMapAsync(MapSelectors.ById(1), cancellationToken: Cancelled);
        Assert.Equal((0, 0, false), (basic.PinnedPaths.Count, basic.Owners.Count, basic.OwnersComplete));
        await FailsAsync(StatusCode.InvalidArgument, ErrorReason.FieldInvalid, () => IdsAsync(new() { NameGlob = "[" }));
        await FailsAsync(StatusCode.InvalidArgument, ErrorReason.FieldInvalid, () => IdsAsync(new() { PageSize = -1 }));
        await FailsAsync(StatusCode.InvalidArgument, ErrorReason.PageTokenInvalid, () => IdsAsync(new() { PageToken = "x" }));

        async Task<string> IdsAsync(ListMapsRequest filter) =>
            string.Join(',', await client.ListMapsAsync(filter, Cancelled).Select(static map => map.Id).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task A_selector_that_fits_no_map_or_several_is_refused()
    {
        _node.Add(1, "same", 0);
        _node.Add(2, "same", 0);
        await CreateAsync();
        using BpfRemoteClient client = Open();
        await Assert.ThrowsAsync<MapNotFoundException>(() => client.GetMapAsync(MapSelectors.ById(3), cancellationToken: Cancelled));
        BpfRemoteException error = await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNameAmbiguous, () => client.GetMapAsync(MapSelectors.ByName("same"), cancellationToken: Cancelled));
        Assert.Equal("1,2", error.Metadata["map_ids"]);
        await FailsAsync(StatusCode.InvalidArgument, ErrorReason.FieldInvalid, () => client.GetMapAsync(new(), cancellationToken: Cancelled));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(4, 0)]
    [InlineData(0, 3)]
    [InlineData(2, 3)]
    [InlineData(0, 12)]
    public async Task A_scan_goes_on_from_its_tokens(uint batchSize, ulong limit)
    {
        _node.Add(7, "seven", 12);
        await CreateAsync();
        List<byte> keys = [];
        string? token = null;
        do
        {
            using BpfRemoteClient client = Open();
            await foreach (MapBatch batch in client.Scan(MapSelectors.ById(7), new() { BatchSize = batchSize, Limit = limit, ContinuationToken = token })
                .WithCancellation(Cancelled))
            {
                Assert.InRange(batch.Count, 0, batchSize == 0 ? 5 : (int)batchSize);
                keys.AddRange(batch.Keys.Span);
                token = batch.ContinuationToken;
            }
        }
        while (token!.Length > 0);

        Assert.Equal(Enumerable.Range(0, 12).Select(static i => (byte)i), keys);
    }

    [Fact]
    public async Task A_token_of_elsewhere_is_refused()
    {
        _node.Add(7, "seven", 12);
        _node.Add(8, "eight", 12);
        await CreateAsync();
        using BpfRemoteClient client = Open();
        string token = (await client.Scan(MapSelectors.ById(7), new() { Limit = 1 }).FirstAsync(Cancelled)).ContinuationToken;
        Assert.Equal(11, await client.Scan(null, new() { ContinuationToken = token }).Select(static batch => batch.Count).SumAsync(Cancelled));
        foreach (string bad in (string[])["more", $"{token}0000", token.Replace("-7-", "-9-", StringComparison.Ordinal), $"{token[..^1]}12"])
        {
            await Assert.ThrowsAsync<ContinuationTokenException>(() => ScanAsync(client, MapSelectors.ById(7), bad));
        }

        await Assert.ThrowsAsync<ContinuationTokenException>(() => ScanAsync(client, MapSelectors.ById(8), token));
    }

    [Theory]
    [InlineData(Include.KeysAndValues, 12, 12)]
    [InlineData(Include.Keys, 12, 0)]
    [InlineData(Include.CountOnly, 0, 0)]
    public async Task A_scan_sends_what_it_is_asked_for(Include include, int keys, int values)
    {
        _node.Add(7, "seven", 12);
        await CreateAsync();
        using BpfRemoteClient client = Open();
        List<MapBatch> batches = await client.Scan(MapSelectors.ById(7), new() { Include = include }).ToListAsync(Cancelled);
        Assert.Equal((keys, values), (batches.Sum(static b => b.Keys.Length), batches.Sum(static b => b.Values.Length)));
        Assert.Equal(12ul, batches[^1].Cost.Entries);
    }

    [Fact]
    public async Task Keys_are_looked_up()
    {
        _node.Add(7, "seven", 12);
        _node.Add(9, "queue", 1).KeySize = 0;
        await CreateAsync(new() { MapIds = new HashSet<uint> { 7 } });
        using BpfRemoteClient client = Open();
        LookupResult result = await client.LookupAsync(MapSelectors.ById(7), new byte[] { 3, 99, 11, 3 }, Cancelled);
        Assert.Equal([true, false, true, true], Enumerable.Range(0, 4).Select(result.IsFound));
        Assert.Equal([103, 0, 111, 103], Enumerable.Range(0, 4).Select(i => result.Value(i)[0]));
        await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNotKeyed, () => client.LookupAsync(MapSelectors.ById(9), new byte[] { 1 }, Cancelled));
    }

    [Theory]
    [InlineData(11, 1000, 1000, 11)]
    [InlineData(12, 1000, 1000, 12)]
    [InlineData(1000, 15, 1000, 7)]
    [InlineData(1000, 24, 1000, 12)]
    [InlineData(1000, 1000, 1, 0)]
    public async Task What_exceeds_a_limit_stays_out_and_a_part_never_looks_like_the_whole(ulong entries, ulong bytes, ulong total, int held)
    {
        _node.Add(7, "seven", 12);
        BundleManifest manifest = await CreateAsync(new() { MaxEntriesPerMap = entries, MaxBytesPerMap = bytes, MaxTotalBytes = total });
        BundleMap map = Assert.Single(manifest.Maps);
        Assert.Equal(((ulong)held, held == 12, held == 12), (map.Entries, map.Complete, map.Reason is null));

        using BpfRemoteClient client = Open();
        if (held == 12)
        {
            Assert.Equal(12, (await ScanAsync(client, MapSelectors.ById(7))).Count);
            return;
        }

        BpfRemoteException error = await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(client, MapSelectors.ById(7)));
        Assert.Contains("it was stopped by the limit of", error.Message, StringComparison.Ordinal);
        await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => client.LookupAsync(MapSelectors.ById(7), new byte[] { 11 }, Cancelled));
        if (held > 0)
        {
            // What is there can be paged through, to its end and no further.
            Assert.Contains($"only the first {held} entries of map 7", error.Message, StringComparison.Ordinal);
            MapBatch last = await client.Scan(MapSelectors.ById(7), new() { Limit = (ulong)held }).LastAsync(Cancelled);
            await FailsAsync(
                StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(client, MapSelectors.ById(7), last.ContinuationToken));
            Assert.True((await client.LookupAsync(MapSelectors.ById(7), new byte[] { 1 }, Cancelled)).IsFound(0));
        }
    }

    [Fact]
    public async Task All_maps_share_the_limit_of_all()
    {
        _node.Add(1, "one", 5);
        _node.Add(2, "two", 5);
        _node.Add(3, "three", 5);
        BundleManifest manifest = await CreateAsync(new() { MaxTotalBytes = 16 });
        Assert.Equal([5ul, 3ul, 0ul], manifest.Maps.Select(static map => map.Entries));
    }

    [Theory]
    [InlineData("tls_secrets", "", "its name fits '*secret*' of the deny list")]
    [InlineData("m", "/sys/fs/bpf/API_TOKENS", "its name fits '*token*' of the deny list")]
    [InlineData("customers", "", "its name fits 'Custom*' of the deny list")]
    [InlineData("other", "", "not chosen")]
    public async Task Entries_that_must_stay_out_are_not_even_read(string name, string pin, string reason)
    {
        _node.Add(7, name, 12, pin.Length > 0 ? [pin] : []);
        _node.Add(8, "chosen", 1);
        _node.OnScan = static scan => Assert.Equal(8u, scan.Map.Id);
        await CreateAsync(new()
        {
            MapIds = name == "other" ? new HashSet<uint> { 8 } : new HashSet<uint> { 7, 8 },
            Deny = ["Custom*", .. BundleOptions.DefaultDeny],
        });
        using BpfRemoteClient client = Open();
        BpfRemoteException error = await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(client, MapSelectors.ById(7)));
        Assert.Equal($"the bundle holds no entries of map 7: {reason}", error.Message);
    }

    [Fact]
    public async Task Entries_may_stay_out_altogether()
    {
        _node.Add(7, "seven", 12);
        _node.OnScan = static scan => Assert.Fail("nobody asked for entries");
        BundleManifest manifest = await CreateAsync(new() { WithEntries = false });
        Assert.Equal("no entries were asked for", Assert.Single(manifest.Maps).Reason);
    }

    [Fact]
    public async Task A_deny_list_that_is_none_is_refused()
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => CreateAsync(new() { Deny = ["["] }));
        Assert.Equal("'[' is no glob of names: '[' without ']'.", error.Message);
        Assert.Empty(_directory.GetFiles());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task What_the_agent_refuses_of_one_map_is_said_and_hurts_no_other(int after)
    {
        _node.Add(7, "seven", 12);
        _node.Add(8, "eight", 3);
        _node.Refused[7] = after;
        BundleManifest manifest = await CreateAsync();
        Assert.Equal((ulong)after, manifest.Maps[0].Entries);
        Assert.Equal("the agent answered READ_DENIED: not yours", manifest.Maps[0].Reason);
        using BpfRemoteClient client = Open();
        Assert.Equal(3, (await ScanAsync(client, MapSelectors.ById(8))).Count);
        BpfRemoteException error = await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.MapNotReadable, () => ScanAsync(client, MapSelectors.ById(7)));
        Assert.EndsWith(": the agent answered READ_DENIED: not yours", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Types_are_held_once_for_all_maps_that_refer_to_them()
    {
        _node.Btf = [.. Enumerable.Range(0, 200_000).Select(static i => (byte)(i * i))];
        foreach (uint id in (uint[])[7, 8])
        {
            _node.Add(id, "typed", 1).BtfId = 3;
        }

        _node.Add(9, "untyped", 1);
        await CreateAsync();
        using (ZipArchive zip = await ZipFile.OpenReadAsync(Path, Cancelled))
        {
            Assert.Single(zip.Entries, static entry => entry.FullName.StartsWith("btf/", StringComparison.Ordinal));
        }

        using BpfRemoteClient client = Open();
        Assert.Equal(_node.Btf, (await client.GetBtfAsync(MapSelectors.ById(8), cancellationToken: Cancelled)).Data.ToArray());
        await FailsAsync(
            StatusCode.FailedPrecondition, ErrorReason.BtfNotAvailable, () => client.GetBtfAsync(MapSelectors.ById(9), cancellationToken: Cancelled));
    }

    [Fact]
    public async Task A_bundle_that_cannot_be_finished_is_not_there()
    {
        await CreateAsync();
        byte[] before = await File.ReadAllBytesAsync(Path, Cancelled);
        using CancellationTokenSource stop = new();
        _node.Add(7, "seven", 12);
        _node.OnScan = _ => stop.Cancel();
        await using FakeAgent agent = await FakeAgent.ServeAsync(_node);
        using BpfRemoteClient client = agent.Connect();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Bundle.CreateAsync(client, Path, cancellationToken: stop.Token));
        Assert.Equal(Path, Assert.Single(_directory.GetFiles()).FullName);
        Assert.Equal(before, await File.ReadAllBytesAsync(Path, Cancelled));
    }

    [Fact]
    public async Task An_agent_that_is_away_ends_the_making()
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(new() { Address = $"unix://{_directory.FullName}/none.sock" });
        await Assert.ThrowsAsync<AgentUnreachableException>(() => Bundle.CreateAsync(client, Path, cancellationToken: Cancelled));
        Assert.Empty(_directory.GetFiles());
    }

    [Fact]
    public async Task Threads_may_read_a_bundle_at_once()
    {
        _node.Add(7, "seven", 150);
        await CreateAsync();
        using BpfRemoteClient client = Open();
        await Parallel.ForAsync(0, 20, Cancelled, async (_, _) => Assert.Equal(150, (await ScanAsync(client, MapSelectors.ById(7))).Count));
    }

    private async Task<BundleManifest> CreateAsync(BundleOptions? options = null)
    {
        await using FakeAgent agent = await FakeAgent.ServeAsync(_node);
        using BpfRemoteClient client = agent.Connect();
        return await Bundle.CreateAsync(client, Path, options, Cancelled);
    }

    private BpfRemoteClient Open() => BpfRemoteClient.Connect(new() { Address = $"file:{Path}" });

    private static async Task<List<int>> ScanAsync(BpfRemoteClient client, MapSelector map, string? token = null)
    {
        List<int> entries = [];
        await foreach (MapBatch batch in client.Scan(map, new() { ContinuationToken = token }).WithCancellation(Cancelled))
        {
            foreach (MapEntry entry in batch)
            {
                Assert.Equal(entry.Key[0] + 100, entry.Value[0]);
                entries.Add(entry.Key[0]);
            }
        }

        return entries;
    }

    private static async Task<BpfRemoteException> FailsAsync(StatusCode code, ErrorReason reason, Func<Task> call)
    {
        BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(call);
        Assert.Equal((code, reason), (error.StatusCode, error.Reason));
        return error;
    }
}
