using System.Security.Cryptography;
using BpfRemote.Btf;
using BpfRemote.Btf.Tests;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client.Tests;

public sealed class BtfTests : IDisposable
{
    private const int ChunkSize = 64 << 10;

    private readonly string _directory = Directory.CreateTempSubdirectory("bpfremote-btf-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task An_object_is_received_in_chunks()
    {
        byte[] data = RandomNumberGenerator.GetBytes((3 * ChunkSize) + 5);
        FakeMapService service = new(0) { Btf = _ => Chunks(data) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        BtfObject btf = await client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled);

        Assert.Equal(data, btf.Data.ToArray());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(data)), btf.Sha256);
    }

    [Fact]
    public async Task What_is_here_already_is_not_sent_again()
    {
        byte[] data = RandomNumberGenerator.GetBytes(2 * ChunkSize);
        FakeMapService service = new(0) { Btf = _ => Chunks(data) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        BtfObject first = await client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled);

        service.Btf = _ => FirstChunkOnly(data);
        Assert.Same(first, await client.GetBtfAsync(MapSelectors.ById(8), cancellationToken: Cancelled));
    }

    [Fact]
    public async Task A_directory_spares_the_next_client_the_kernels_types()
    {
        byte[] data = RandomNumberGenerator.GetBytes(2 * ChunkSize);
        FakeMapService service = new(0) { Btf = _ => Chunks(data) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        await FetchAsync(agent);

        service.Btf = _ => FirstChunkOnly(data);
        Assert.Equal(data, (await FetchAsync(agent)).Data.ToArray());

        // Damaged, it is as good as none.
        service.Btf = _ => Chunks(data);
        string file = Assert.Single(Directory.GetFiles(_directory));
        await File.WriteAllBytesAsync(file, data[..^1], Cancelled);
        Assert.Equal(data, (await FetchAsync(agent)).Data.ToArray());
        Assert.Equal(data, await File.ReadAllBytesAsync(file, Cancelled));
    }

    [Fact]
    public async Task Small_objects_are_not_kept_in_files()
    {
        FakeMapService service = new(0) { Btf = _ => Chunks(new byte[ChunkSize]) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        await FetchAsync(agent);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_hurts_nobody()
    {
        byte[] data = RandomNumberGenerator.GetBytes(2 * ChunkSize);
        FakeMapService service = new(0) { Btf = _ => Chunks(data) };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        string file = Path.Combine(_directory, "file");
        await File.WriteAllBytesAsync(file, [], Cancelled);
        using BpfRemoteClient client = BpfRemoteClient.Connect(FakeAgent.OptionsFor(agent.Port) with { BtfCacheDirectory = file });
        Assert.Equal(data, (await client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled)).Data.ToArray());
    }

    [Theory]
    [InlineData("nothing", "GetBtf answered nothing")]
    [InlineData("no hash", "announced 10 bytes with a hash of 0 bytes")]
    [InlineData("no size", "announced 0 bytes")]
    [InlineData("huge", "announced 1099511627776 bytes")]
    [InlineData("too few", "sent 9 of 10 bytes")]
    [InlineData("too many", "announced 10 bytes and sends more")]
    [InlineData("other bytes", "or others than its hash is of")]
    public async Task An_object_that_is_not_what_was_announced_is_refused(string fault, string expected)
    {
        byte[] data = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        GetBtfResponse whole = new() { TotalSize = 10, Sha256 = ByteString.CopyFrom(SHA256.HashData(data)), Data = ByteString.CopyFrom(data) };
        FakeMapService service = new(0) { Btf = _ => Faulty().ToAsyncEnumerable() };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();

        InvalidResponseException error = await Assert.ThrowsAsync<InvalidResponseException>(
            () => client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);

        IEnumerable<GetBtfResponse> Faulty()
        {
            switch (fault)
            {
                case "nothing":
                    yield break;
                case "no hash":
                    whole.Sha256 = ByteString.Empty;
                    break;
                case "no size":
                    whole.TotalSize = 0;
                    break;
                case "huge":
                    whole.TotalSize = 1UL << 40;
                    break;
                case "too few":
                    whole.Data = ByteString.CopyFrom(data[..^1]);
                    break;
                case "other bytes":
                    whole.Data = ByteString.CopyFrom([.. data[..^1], 0]);
                    break;
            }

            yield return whole;
            if (fault == "too many")
            {
                yield return new() { Data = ByteString.CopyFrom(1) };
            }
        }
    }

    [Fact]
    public async Task A_refusal_carries_its_reason()
    {
        FakeMapService service = new(0) { Refusal = Ending.Status(StatusCode.FailedPrecondition, "BTF_NOT_AVAILABLE") };
        await using FakeAgent agent = await FakeAgent.StartAsync(service);
        using BpfRemoteClient client = agent.Connect();
        BpfRemoteException error = await Assert.ThrowsAsync<BpfRemoteException>(
            () => client.GetBtfAsync(MapSelectors.ById(7), cancellationToken: Cancelled));
        Assert.Equal(ErrorReason.BtfNotAvailable, error.Reason);
    }

    [Fact]
    public async Task A_schema_tells_what_keys_and_values_are()
    {
        BtfWriter writer = new();
        uint word = writer.Int("unsigned int", 4);
        uint pair = writer.Struct("pair", 8, ("first", word, 0), ("second", word, 32));
        List<BtfObjectKind> asked = [];
        await using FakeAgent agent = await ServeTypesAsync(writer, asked);
        using BpfRemoteClient client = agent.Connect();

        Map map = new() { Id = 7, KeySize = 4, ValueSize = 8, BtfKeyTypeId = word, BtfValueTypeId = pair };
        MapSchema? schema = await client.GetSchemaAsync(map, Cancelled);

        Assert.Equal("unsigned int", schema?.Key?.TypeName);
        Assert.Equal(2ul, schema!.Value.Read([1, 0, 0, 0, 2, 0, 0, 0])["second"].ReadUInt64());
        Assert.Equal([BtfObjectKind.Map], asked);
    }

    [Fact]
    public async Task The_kernels_types_are_asked_for_only_where_a_map_refers_to_them()
    {
        BtfWriter writer = new();
        uint word = writer.Int("unsigned int", 4);
        List<BtfObjectKind> asked = [];
        await using FakeAgent agent = await ServeTypesAsync(writer, asked);
        using BpfRemoteClient client = agent.Connect();

        Map map = new() { Id = 7, KeySize = 4, ValueSize = 4, BtfVmlinuxValueTypeId = word };
        MapSchema? schema = await client.GetSchemaAsync(map, Cancelled);

        Assert.Null(schema!.Key);
        Assert.Equal("unsigned int", schema.Value.TypeName);
        Assert.Equal([BtfObjectKind.Vmlinux], asked);
    }

    [Fact]
    public async Task A_map_without_types_has_no_schema_and_costs_no_call()
    {
        List<BtfObjectKind> asked = [];
        await using FakeAgent agent = await ServeTypesAsync(new(), asked);
        using BpfRemoteClient client = agent.Connect();
        Assert.Null(await client.GetSchemaAsync(new() { Id = 7, KeySize = 4, ValueSize = 4, BtfId = 3 }, Cancelled));
        Assert.Empty(asked);
    }

    [Fact]
    public async Task Types_larger_than_the_maps_entries_are_refused()
    {
        BtfWriter writer = new();
        uint word = writer.Int("unsigned int", 4);
        await using FakeAgent agent = await ServeTypesAsync(writer, []);
        using BpfRemoteClient client = agent.Connect();
        BtfFormatException error = await Assert.ThrowsAsync<BtfFormatException>(() => client.GetSchemaAsync(
            new() { Id = 7, KeySize = 2, ValueSize = 4, BtfKeyTypeId = word, BtfValueTypeId = word }, Cancelled));
        Assert.Equal("The map's keys have 2 bytes, and unsigned int takes 4.", error.Message);
    }

    private async Task<BtfObject> FetchAsync(FakeAgent agent)
    {
        using BpfRemoteClient client = BpfRemoteClient.Connect(FakeAgent.OptionsFor(agent.Port) with { BtfCacheDirectory = _directory });
        return await client.GetBtfAsync(MapSelectors.ById(7), BtfObjectKind.Vmlinux, Cancelled);
    }

    private static Task<FakeAgent> ServeTypesAsync(BtfWriter types, List<BtfObjectKind> asked) => FakeAgent.StartAsync(new(0)
    {
        Btf = request =>
        {
            asked.Add(request.Kind);
            return Chunks(types.ToArray());
        },
    });

    private static async IAsyncEnumerable<GetBtfResponse> Chunks(byte[] data)
    {
        ByteString sha256 = ByteString.CopyFrom(SHA256.HashData(data));
        for (int offset = 0; offset < data.Length; offset += ChunkSize)
        {
            await Task.Yield();
            GetBtfResponse chunk = new() { Data = ByteString.CopyFrom(data.AsSpan(offset, Math.Min(ChunkSize, data.Length - offset))) };
            if (offset == 0)
            {
                chunk.TotalSize = (ulong)data.Length;
                chunk.Sha256 = sha256;
            }

            yield return chunk;
        }
    }

    // A client that asks for more than the first chunk never gets an answer.
    private static async IAsyncEnumerable<GetBtfResponse> FirstChunkOnly(byte[] data)
    {
        await foreach (GetBtfResponse chunk in Chunks(data))
        {
            yield return chunk;
            await new TaskCompletionSource().Task.WaitAsync(Cancelled);
        }
    }
}
