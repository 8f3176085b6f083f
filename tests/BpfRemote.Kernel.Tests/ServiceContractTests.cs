using System.Security.Cryptography;
using BpfRemote.Btf;
using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>Listing, describing, selecting and looking up.</summary>
public abstract class ServiceContractTests : AgentTests
{
    private readonly string _prefix = $"kt{Guid.NewGuid().ToString("N")[..8]}";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Maps_are_listed_by_id_page_after_page()
    {
        uint[] ids = [.. Enumerable.Range(0, 7).Select(i => Create($"{_prefix}_{i}", BpfMapType.Hash).Id)];
        foreach (int pageSize in (int[])[0, 1, 3, 7, 100])
        {
            List<Map> listed = await ListAsync(new() { PageSize = pageSize, NameGlob = $"{_prefix}*" });
            Assert.Equal(ids, listed.Select(map => map.Id));
        }

        Map described = (await ListAsync(new() { NameGlob = $"{_prefix}_3" })).Single();
        Assert.Equal($"{_prefix}_3", described.Name);
        Assert.Equal(("hash", 4u, 8u, 8u, 10u),
            (described.TypeName, described.KeySize, described.ValueSize, described.ValueStride, described.MaxEntries));
        Assert.Equal((ReadMethod.Batch, Guarantee.ExactlyOnce), (described.ReadSupport.ReadMethod, described.ReadSupport.Guarantee));
        Assert.Equal(1_000u, described.MaxLookupKeys);
    }

    [Fact]
    public async Task A_page_token_is_good_for_the_same_filters_only()
    {
        Create($"{_prefix}_a", BpfMapType.Hash);
        Create($"{_prefix}_b", BpfMapType.Hash);
        ListMapsRequest request = new() { PageSize = 1, NameGlob = $"{_prefix}*" };
        ListMapsResponse first = await Agent.Maps.ListMapsAsync(request, cancellationToken: Cancelled);
        Assert.NotEmpty(first.NextPageToken);
        await AssertPageTokenInvalid(new(request) { NameGlob = "*", PageToken = first.NextPageToken });
        await AssertPageTokenInvalid(new(request) { PageToken = first.NextPageToken[..^1] });
        await AssertPageTokenInvalid(new(request) { PageToken = "nonsense" });
        ListMapsResponse second = await Agent.Maps.ListMapsAsync(new(request) { PageToken = first.NextPageToken }, cancellationToken: Cancelled);
        Assert.Equal($"{_prefix}_b", Assert.Single(second.Maps).Name);
        MapBatch batch = (await ScanAsync(ById(first.Maps[0].Id)))[0];
        Assert.True(batch.IsComplete);
    }

    [Fact]
    public async Task Filters_by_type_name_and_pin_all_count()
    {
        ITestMap hash = Create($"{_prefix}_h", BpfMapType.Hash);
        ITestMap array = Create($"{_prefix}_a", BpfMapType.Array);
        ITestMap pinned = Create($"{_prefix}_p", BpfMapType.Array);
        pinned.Pin($"/sys/fs/bpf/{_prefix}/deep/pin");
        string mine = $"{_prefix}*";
        Assert.Equal([array.Id, pinned.Id], Ids(await ListAsync(new() { NameGlob = mine, Types_ = { MapType.Array } })));
        Assert.Equal([hash.Id, array.Id, pinned.Id], Ids(await ListAsync(new() { NameGlob = mine, Types_ = { MapType.Array, MapType.Hash } })));
        Assert.Equal([hash.Id, pinned.Id], Ids(await ListAsync(new() { NameGlob = $"{_prefix}_[hp]" })));
        Assert.Equal([array.Id], Ids(await ListAsync(new() { NameGlob = $"{_prefix}_[!hp]" })));
        Assert.Equal([pinned.Id], Ids(await ListAsync(new() { PinnedPathGlob = $"/sys/fs/bpf/{_prefix}/**" })));
        Assert.Equal([pinned.Id], Ids(await ListAsync(new() { PinnedPathGlob = $"/sys/fs/bpf/{_prefix}/*/p?n" })));
        Assert.Empty(await ListAsync(new() { PinnedPathGlob = $"/sys/fs/bpf/{_prefix}/*" }));
        Assert.Empty(await ListAsync(new() { PinnedPathGlob = $"/sys/fs/bpf/{_prefix}/deep/pin", Types_ = { MapType.Hash } }));
        Assert.Empty((await ListAsync(new() { NameGlob = mine })).SelectMany(map => map.PinnedPaths));
        Map full = (await ListAsync(new() { NameGlob = $"{_prefix}_p", View = MapView.Full })).Single();
        Assert.Equal([$"/sys/fs/bpf/{_prefix}/deep/pin"], full.PinnedPaths);
    }

    [Fact]
    public async Task A_map_is_selected_by_id_name_or_pin()
    {
        ITestMap map = Create($"{_prefix}_one", BpfMapType.Hash);
        map.Pin($"/sys/fs/bpf/{_prefix}/one");
        foreach (MapSelector selector in (MapSelector[])[ById(map.Id), ByName($"{_prefix}_one"), ByPinnedPath($"/sys/fs/bpf/{_prefix}/one")])
        {
            Assert.Equal(map.Id, (await Agent.Client.GetMapAsync(selector, cancellationToken: Cancelled)).Id);
            Assert.Equal(map.Id, (await ScanAsync(selector))[0].Layout.MapId);
        }
    }

    [Fact]
    public async Task A_name_of_several_maps_names_their_ids()
    {
        uint[] ids = [.. Enumerable.Range(0, 60).Select(_ => Create($"{_prefix}_dup", BpfMapType.Hash).Id)];
        BpfRemoteException error = await AssertFails(
            StatusCode.FailedPrecondition, ErrorReason.MapNameAmbiguous, () => ScanAsync(ByName($"{_prefix}_dup")));
        Assert.Equal(string.Join(',', ids.Take(50)), error.Metadata["map_ids"]);
        Assert.Equal("60", error.Metadata["matches"]);
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        string[] noMaps = ["/sys/fs/bpf/no/such/pin", "/sys/fs/bpf", "/etc/passwd", "/etc/passwd/x", "/" + new string('a', 300)];
        MapSelector[] selectors = [ById(uint.MaxValue), ByName($"{_prefix}_none"), .. noMaps.Select(ByPinnedPath)];
        foreach (MapSelector selector in selectors)
        {
            await AssertFails(StatusCode.NotFound, ErrorReason.MapNotFound, () => Agent.Client.GetMapAsync(selector, cancellationToken: Cancelled));
            await AssertFails(StatusCode.NotFound, ErrorReason.MapNotFound, () => ScanAsync(selector));
        }
    }

    [Fact]
    public async Task All_that_is_wrong_with_a_request_is_said_at_once()
    {
        RpcException scan = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using AsyncServerStreamingCall<LookupBatchResponse> call =
                Agent.Maps.LookupBatch(new() { Pace = (Pace)77, Include = (Include)78 }, cancellationToken: Cancelled);
            await call.ResponseStream.MoveNext(Cancelled);
        });
        Assert.Equal(["include", "map", "pace"], Violations(scan));

        RpcException list = await Assert.ThrowsAsync<RpcException>(async () => await Agent.Maps.ListMapsAsync(
            new()
            {
                PageSize = -1,
                NameGlob = "[",
                PinnedPathGlob = new string('x', 4_096),
                View = (MapView)9,
                Types_ = { (MapType)99 },
            },
            cancellationToken: Cancelled));
        Assert.Equal(["name_glob", "page_size", "pinned_path_glob", "types", "view"], Violations(list));

        RpcException get = await Assert.ThrowsAsync<RpcException>(async () =>
            await Agent.Maps.GetMapAsync(new() { Map = ByPinnedPath("/a/../b"), View = (MapView)9 }, cancellationToken: Cancelled));
        Assert.Equal(["map.pinned_path", "view"], Violations(get));

        RpcException lookup = await Assert.ThrowsAsync<RpcException>(async () =>
            await Agent.Maps.LookupElementsAsync(new() { Map = ById(0) }, cancellationToken: Cancelled));
        Assert.Equal(["keys", "map.id"], Violations(lookup));

        RpcException many = await Assert.ThrowsAsync<RpcException>(async () => await Agent.Maps.ListMapsAsync(
            new() { Types_ = { Enumerable.Range(1_000, 60).Select(type => (MapType)type) } }, cancellationToken: Cancelled));
        Assert.Equal(20, Violations(many).Count());
    }

    [Fact]
    public async Task Lookups_tell_found_from_absent_in_the_order_asked()
    {
        ITestMap map = Create($"{_prefix}_l", BpfMapType.Hash);
        byte[] three = map.Put(Key(3), 3);
        byte[] five = map.Put(Key(5), 5);
        LookupResult result = await Agent.Client.LookupAsync(ById(map.Id), (byte[])[.. Key(5), .. Key(4), .. Key(3), .. Key(5)], Cancelled);
        Assert.Equal([true, false, true, true], Enumerable.Range(0, result.Count).Select(result.IsFound));
        Assert.Equal([.. five, .. new byte[8], .. three, .. five], Enumerable.Range(0, 4).SelectMany(i => result.Value(i).ToArray()));
    }

    [Fact]
    public async Task A_trie_answers_with_the_longest_prefix()
    {
        using ITestMap map = Kernel.Create(MapShape.For(BpfMapType.LpmTrie, 8, 8, 10));
        byte[] wide = map.Put([8, 0, 0, 0, 10, 0, 0, 0], 1);
        byte[] narrow = map.Put([16, 0, 0, 0, 10, 1, 0, 0], 2);
        LookupResult result = await Agent.Client.LookupAsync(
            ById(map.Id),
            (byte[])[32, 0, 0, 0, 10, 1, 2, 3, 32, 0, 0, 0, 10, 9, 9, 9, 32, 0, 0, 0, 11, 0, 0, 0],
            Cancelled);
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(result.IsFound));
        Assert.Equal([.. narrow, .. wide], Enumerable.Range(0, 2).SelectMany(i => result.Value(i).ToArray()));
    }

    [Fact]
    public async Task Lookups_are_bounded_in_number_and_by_whole_keys()
    {
        ITestMap map = Create($"{_prefix}_m", BpfMapType.Hash);
        RpcException tooMany = await Assert.ThrowsAsync<RpcException>(async () => await Agent.Maps.LookupElementsAsync(
            new() { Map = ById(map.Id), Keys = ByteString.CopyFrom(new byte[4 * 1_001]) }, cancellationToken: Cancelled));
        ErrorInfo info = tooMany.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
        Assert.Equal((StatusCode.InvalidArgument, "TOO_MANY_KEYS", "1000"), (tooMany.StatusCode, info.Reason, info.Metadata["max_lookup_keys"]));
        LookupElementsResponse most = await Agent.Maps.LookupElementsAsync(
            new() { Map = ById(map.Id), Keys = ByteString.CopyFrom(new byte[4 * 1_000]) }, cancellationToken: Cancelled);
        Assert.Equal(1_000, most.Found.Count);

        foreach (int bytes in (int[])[0, 7])
        {
            RpcException uneven = await Assert.ThrowsAsync<RpcException>(async () => await Agent.Maps.LookupElementsAsync(
                new() { Map = ById(map.Id), Keys = ByteString.CopyFrom(new byte[bytes]) }, cancellationToken: Cancelled));
            Assert.Equal(["keys"], Violations(uneven));
        }

        using ITestMap wide = Kernel.Create(new(BpfMapType.Hash, 512, 100_000, 4));
        Map described = await Agent.Client.GetMapAsync(ById(wide.Id), cancellationToken: Cancelled);
        Assert.Equal(36u, described.MaxLookupKeys);
        LookupElementsResponse all = await Agent.Maps.LookupElementsAsync(
            new() { Map = ById(wide.Id), Keys = ByteString.CopyFrom(new byte[512 * 36]) }, cancellationToken: Cancelled);
        Assert.Equal(36 * 100_000, all.Values.Length);
    }

    [Fact]
    public async Task The_node_tells_of_itself()
    {
        Node node = await Agent.Client.GetNodeAsync(Cancelled);
        NodeFacts facts = Kernel.Source.Node;
        Assert.Equal(
            (facts.Hostname, facts.KernelRelease, facts.BootId.ToString()), (node.Hostname, node.KernelRelease, node.BootId));
        Assert.Equal(facts.PossibleCpuIds, node.PossibleCpuIds);
        Assert.Equal("unix:uid=0", node.Principal);
        Assert.Contains("get_btf", node.Features);
        Assert.Contains("lookup_batch", node.Features);
    }

    [Fact]
    public async Task A_map_without_btf_says_so()
    {
        ITestMap map = Create("ktest_plain", BpfMapType.Hash);
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => ReadBtfAsync(new() { Map = ById(map.Id) }));
        Assert.Equal(
            (StatusCode.FailedPrecondition, "BTF_NOT_AVAILABLE"),
            (error.StatusCode, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
    }

    [Fact]
    public async Task Btf_of_an_unknown_kind_is_a_mistake()
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => ReadBtfAsync(new() { Kind = (BtfObjectKind)9 }));
        Assert.Equal(
            ["map", "kind"], error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field));
    }

    /// <summary>Receives a BTF object, and holds it to what its first chunk says of it.</summary>
    protected async Task<byte[]> ReadBtfAsync(GetBtfRequest request)
    {
        using AsyncServerStreamingCall<GetBtfResponse> call = Agent.Maps.GetBtf(request, cancellationToken: Cancelled);
        using MemoryStream btf = new();
        GetBtfResponse? first = null;
        await foreach (GetBtfResponse chunk in call.ResponseStream.ReadAllAsync(Cancelled))
        {
            first ??= chunk;
            Assert.InRange(chunk.Data.Length, 1, 85_000);
            chunk.Data.WriteTo(btf);
        }

        Assert.Equal((ulong)btf.Length, first!.TotalSize);
        Assert.Equal(SHA256.HashData(btf.ToArray()), first.Sha256.ToByteArray());
        Assert.Equal(Kernel.Source.Node.BootId.ToString(), first.BootId);
        return btf.ToArray();
    }

    protected ITestMap Create(string name, BpfMapType type) => Kernel.Create(new(type, 4, 8, 10) { Name = name });

    protected async Task<List<Map>> ListAsync(ListMapsRequest request)
    {
        List<Map> maps = [];
        await foreach (Map map in Agent.Client.ListMapsAsync(request, Cancelled))
        {
            maps.Add(map);
        }

        return maps;
    }

    private static byte[] Key(int number) => BitConverter.GetBytes(number);

    private static IEnumerable<uint> Ids(List<Map> maps) => maps.Select(map => map.Id);

    private static IEnumerable<string> Violations(RpcException error)
    {
        Google.Rpc.Status status = error.GetRpcStatus()!;
        Assert.Equal((StatusCode.InvalidArgument, "FIELD_INVALID"), (error.StatusCode, status.GetDetail<ErrorInfo>()!.Reason));
        return status.GetDetail<BadRequest>()!.FieldViolations.Select(violation => violation.Field).Order(StringComparer.Ordinal);
    }

    private async Task AssertPageTokenInvalid(ListMapsRequest request)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(async () => await Agent.Maps.ListMapsAsync(request, cancellationToken: Cancelled));
        Assert.Equal("PAGE_TOKEN_INVALID", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }
}

/// <summary>The contract on the kernel of this machine.</summary>
public sealed class KernelServiceContractTests : ServiceContractTests
{
    [Fact]
    public async Task The_full_view_names_programs_and_leaves_the_agent_itself_out_of_the_owners()
    {
        RealKernel kernel = (RealKernel)Kernel;
        RealMap map = kernel.CreateReal(new(BpfMapType.Array, 4, 8, 1) { Name = "ktest_owned" });
        using DemoMaps.ReturnZeroProgram program = DemoMaps.ReturnZeroProgram.Load("ktest_user", map.Map);
        Map described = await Agent.Client.GetMapAsync(ById(map.Id), MapView.Full, TestContext.Current.CancellationToken);
        Assert.Empty(described.Owners);
        ProgramReference used = Assert.Single(described.Programs);
        Assert.Equal((program.Id, "ktest_user", "socket_filter"), (used.Id, used.Name, used.Type));
    }

    [Fact]
    public async Task The_kernels_own_btf_comes_as_it_is()
    {
        ITestMap map = Create("ktest_plain", BpfMapType.Hash);
        byte[] btf = await ReadBtfAsync(new() { Map = ById(map.Id), Kind = BtfObjectKind.Vmlinux });
        Assert.Equal(await File.ReadAllBytesAsync("/sys/kernel/btf/vmlinux", TestContext.Current.CancellationToken), btf);
    }

    [Fact]
    public async Task The_btf_of_a_map_describes_its_types()
    {
        using DemoMaps.BtfBuilder types = new();
        uint number = types.Int("u32", 4);
        uint pair = types.Struct("ktest_pair", ("left", number), ("right", number));
        using SafeFileHandle loaded = types.Load();
        using DemoMaps.WritableMap map = DemoMaps.WritableMap.Create(new()
        {
            Type = BpfMapType.Hash,
            Name = "ktest_typed",
            KeySize = 4,
            ValueSize = 8,
            MaxEntries = 1,
            Btf = loaded,
            BtfKeyTypeId = number,
            BtfValueTypeId = pair,
        });

        Map described = await Agent.Client.GetMapAsync(ById(map.Id), MapView.Basic, TestContext.Current.CancellationToken);
        BtfTypes btf = BtfTypes.Parse(await ReadBtfAsync(new() { Map = ById(map.Id) }));

        Assert.Equal("ktest_pair", btf[described.BtfValueTypeId].Name);
    }

    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedServiceContractTests : ServiceContractTests
{
    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
