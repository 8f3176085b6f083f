using System.Net;
using BpfRemote.Agent.Maps.LookupBatch.Scans;
using CsCheck;
using Xunit;

namespace BpfRemote.Agent.Tests.Maps;

public sealed class TrieKeyTests
{
    private static readonly Gen<byte[]> GenKey =
        from length in Gen.Int[0, 24]
        from data in Gen.Byte[0, 3].Array[3]
        select Key((uint)length, data);

    [Theory]
    [InlineData("10.0.0.0/8", "11.0.0.0/8", -1)]
    [InlineData("10.1.0.0/16", "10.0.0.0/8", -1)]
    [InlineData("10.200.0.0/16", "10.0.0.0/8", -1)]
    [InlineData("0.0.0.0/0", "10.0.0.0/8", 1)]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", 0)]
    [InlineData("10.0.0.0/9", "10.128.0.0/9", -1)]
    [InlineData("10.0.0.1/32", "10.0.0.2/32", -1)]
    [InlineData("10.0.0.255/24", "10.0.0.1/24", 0)]
    public void The_kernel_walks_bits_ascending_and_longer_prefixes_first(string left, string right, int order)
    {
        Assert.Equal(order, Math.Sign(TrieKey.Compare(Ip(left), Ip(right))));
        Assert.Equal(-order, Math.Sign(TrieKey.Compare(Ip(right), Ip(left))));
    }

    [Fact]
    public void The_order_is_total() => Gen.Select(GenKey, GenKey, GenKey).Sample((a, b, c) =>
    {
        Assert.Equal(Math.Sign(TrieKey.Compare(a, b)), -Math.Sign(TrieKey.Compare(b, a)));
        if (TrieKey.Compare(a, b) <= 0 && TrieKey.Compare(b, c) <= 0)
        {
            Assert.True(TrieKey.Compare(a, c) <= 0);
        }
    });

    [Fact]
    public void The_part_that_counts_is_written_and_read_again() => GenKey.Sample(key =>
    {
        byte[] written = new byte[64];
        byte[] read = new byte[key.Length];
        int length = TrieKey.Write(key, written);

        Assert.Equal(length, TrieKey.Read(written.AsSpan(0, length), read));
        Assert.Equal(0, TrieKey.Compare(key, read));
        Assert.Equal(0, TrieKey.Read(written.AsSpan(0, length - 1), read));
    });

    [Fact]
    public void A_prefix_longer_than_the_key_is_none() =>
        Assert.Equal(0, TrieKey.Read([33, 0, 1, 2, 3, 4, 5], new byte[8]));

    private static byte[] Ip(string prefix)
    {
        string[] parts = prefix.Split('/');
        return Key(uint.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), IPAddress.Parse(parts[0]).GetAddressBytes());
    }

    private static byte[] Key(uint length, byte[] data) => [.. BitConverter.GetBytes(length), .. data];
}
