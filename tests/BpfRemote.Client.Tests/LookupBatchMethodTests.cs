using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client.Tests;

/// <summary>Responses are read as the generated code reads them, except that nothing is copied.</summary>
public sealed class LookupBatchMethodTests
{
    private const int Messages = 2_000;

    private static readonly LookupBatchResponse Full = new()
    {
        Count = 2,
        Keys = ByteString.CopyFrom(1, 2, 3, 4),
        Values = ByteString.CopyFrom(new byte[300]),
        ContinuationToken = "token",
        Layout = new() { KeySize = 2, ValueStride = 150, MapName = "conn_table" },
        Cost = new() { Entries = 2, NativeCalls = 1 },
    };

    [Fact]
    public void A_response_is_what_was_written()
    {
        byte[] message = Full.ToByteArray();
        LookupBatchResponse read = LookupBatchMethod.Parse(message);
        Assert.Equal(Full, read);
        Assert.True(message.AsSpan().Overlaps(read.Keys.Span));
        Assert.True(message.AsSpan().Overlaps(read.Values.Span));
    }

    [Fact]
    public void An_empty_response_is_one() => Assert.Equal(new(), LookupBatchMethod.Parse([]));

    [Fact]
    public void Fields_in_any_order_repeated_or_unknown_are_read_as_the_generated_code_does()
    {
        byte[][] fields =
        [
            new LookupBatchResponse { Count = 7 }.ToByteArray(),
            new LookupBatchResponse { Keys = ByteString.CopyFrom(9, 8) }.ToByteArray(),
            new LookupBatchResponse { Values = ByteString.CopyFrom(new byte[200]) }.ToByteArray(),
            new LookupBatchResponse { ContinuationToken = "other" }.ToByteArray(),
            new LookupBatchResponse { Layout = new() { ValueSize = 4 } }.ToByteArray(),
            new LookupBatchResponse { Cost = new() { Bytes = 5 } }.ToByteArray(),
            Full.ToByteArray(),
            [0x10, 0x05], // `keys` as a number: unknown
            [0xfa, 0x01, 0x03, 0x12, 0x01, 0x07], // field 31
            [0xfb, 0x01, 0x12, 0x01, 0x07, 0xfc, 0x01], // a group around what would be `keys`
        ];
        Random random = new(Seed: 1);
        for (int i = 0; i < Messages; i++)
        {
            byte[] message = [.. random.GetItems(fields, random.Next(1, 8)).SelectMany(static field => field)];
            Assert.Equal(LookupBatchResponse.Parser.ParseFrom(message), LookupBatchMethod.Parse(message));
        }
    }

    [Fact]
    public void Damaged_messages_are_refused_exactly_where_the_generated_code_refuses_them()
    {
        byte[] whole = Full.ToByteArray();
        Random random = new(Seed: 2);
        for (int i = 0; i < Messages; i++)
        {
            byte[] message = whole[..random.Next(whole.Length + 1)];
            if (message.Length > 0)
            {
                random.NextBytes(message.AsSpan(random.Next(message.Length), 1));
            }

            Assert.Equal(Read(LookupBatchResponse.Parser.ParseFrom, message), Read(LookupBatchMethod.Parse, message));
        }
    }

    private static LookupBatchResponse? Read(Func<byte[], LookupBatchResponse> parse, byte[] message)
    {
        try
        {
            return parse(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
