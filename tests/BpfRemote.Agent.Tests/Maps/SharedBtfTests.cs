using System.Buffers;
using System.Security.Cryptography;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Maps.GetBtf;
using BpfRemote.Libbpf;
using Grpc.Core;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class SharedBtfTests
{
    private const int Size = 8 << 20;
    private const int Scans = 1;

    private readonly BtfObjects _source = new();
    private readonly SharedBtf _shared;

    /// <summary>Of 32 MiB one principal gets half: two objects.</summary>
    public SharedBtfTests() => _shared = new SharedBtf(_source, new BufferBudget(
        new AgentLimits { MaxConcurrentScans = Scans, MaxBufferBytes = BufferBudget.ReservedBy(Scans) + (4L * Size) }));

    [Fact]
    public void All_who_send_an_object_share_one_copy()
    {
        using SharedBtf.Copy one = _shared.Open(1, "one");
        using SharedBtf.Copy other = _shared.Open(1, "other");

        Assert.Same(one, other);
        Assert.Equal([1u], _source.Read);
        Assert.Equal(SHA256.HashData(one.Memory.Span), one.Sha256.ToByteArray());
    }

    [Fact]
    public void The_copy_is_gone_with_the_last_who_sends_it()
    {
        SharedBtf.Copy one = _shared.Open(1, "anybody");
        SharedBtf.Copy other = _shared.Open(1, "anybody");
        one.Dispose();
        Assert.Equal(Size, other.Memory.Length);

        other.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.Memory);
        _shared.Open(1, "anybody").Dispose();
        Assert.Equal([1u, 1u], _source.Read);
    }

    [Fact]
    public void Copies_count_for_who_had_them_read_until_they_are_gone()
    {
        SharedBtf.Copy[] held = [_shared.Open(1, "greedy"), _shared.Open(2, "greedy")];
        for (int attempt = 0; attempt < 3; attempt++)
        {
            RpcException error = Assert.Throws<RpcException>(() => _shared.Open(3, "greedy"));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        }

        using SharedBtf.Copy shared = _shared.Open(1, "other"); // takes nothing more

        Array.ForEach(held, copy => copy.Dispose());
        using SharedBtf.Copy third = _shared.Open(3, "greedy");
        Assert.Equal(Size, third.Memory.Length);
    }

    /// <summary>Any id is an object of <see cref="Size"/> bytes.</summary>
    private sealed class BtfObjects : IMapSource
    {
        public List<uint> Read { get; } = [];

        public NodeFacts Node => throw new NotSupportedException();

        public BtfBytes ReadBtf(uint id)
        {
            Read.Add(id);
            byte[] bytes = ArrayPool<byte>.Shared.Rent(Size);
            bytes.AsSpan(0, Size).Fill((byte)id);
            return new BtfBytes(bytes, Size);
        }

        public IEnumerable<uint> MapIds(uint after) => throw new NotSupportedException();

        public IBpfMap OpenById(uint id) => throw new NotSupportedException();

        public IBpfMap OpenPinned(string path) => throw new NotSupportedException();

        public PinnedMaps ReadPins(CancellationToken cancellationToken) => throw new NotSupportedException();

        public MapOwners ReadOwners(CancellationToken cancellationToken) => throw new NotSupportedException();

        public MapPrograms ReadPrograms(CancellationToken cancellationToken) => throw new NotSupportedException();

        public NodeClocks ReadClocks() => throw new NotSupportedException();

        public TimeSpan ReadThreadTime() => throw new NotSupportedException();
    }
}
