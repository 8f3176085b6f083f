using System.Buffers;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>LookupBatch, for responses whose keys and values stay where they were received.</summary>
/// <remarks>
/// The generated code copies each into an array that it clears before: of a scan at full pace that was a quarter of the client's time.
/// </remarks>
internal static class LookupBatchMethod
{
    /// <summary>The method.</summary>
    public static readonly Method<LookupBatchRequest, LookupBatchResponse> Instance = new(
        MethodType.ServerStreaming,
        MapService.Descriptor.FullName,
        nameof(MapService.MapServiceClient.LookupBatch),
        Marshallers.Create<LookupBatchRequest>(Write, static (DeserializationContext _) => throw new NotSupportedException()),
        Marshallers.Create<LookupBatchResponse>(static (_, _) => throw new NotSupportedException(), Read));

    private static readonly uint Keys = WireFormat.MakeTag(LookupBatchResponse.KeysFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint Values = WireFormat.MakeTag(LookupBatchResponse.ValuesFieldNumber, WireFormat.WireType.LengthDelimited);

    /// <summary>A response whose keys and values are parts of a message.</summary>
    /// <param name="message">The message, which is not changed as long as the response is in use.</param>
    /// <exception cref="InvalidProtocolBufferException">It is no such message.</exception>
    internal static LookupBatchResponse Parse(byte[] message)
    {
        LookupBatchResponse response = new();
        using CodedInputStream input = new(message);
        int parsed = 0;
        while (true)
        {
            int field = (int)input.Position;
            uint tag = input.ReadTag();
            if (tag == 0)
            {
                break;
            }

            int content = (int)input.Position;
            input.SkipLastField();
            if (tag != Keys && tag != Values)
            {
                continue; // for the generated code
            }

            int end = (int)input.Position;
            while (message[content++] >= 0x80)
            {
                // The bytes of the length, of which each but the last says that another follows.
            }

            ByteString bytes = UnsafeByteOperations.UnsafeWrap(message.AsMemory(content, end - content));
            if (tag == Keys)
            {
                response.Keys = bytes;
            }
            else
            {
                response.Values = bytes;
            }

            response.MergeFrom(message, parsed, field - parsed);
            parsed = end;
        }

        response.MergeFrom(message, parsed, message.Length - parsed);
        return response;
    }

    private static void Write(LookupBatchRequest request, SerializationContext context)
    {
        context.SetPayloadLength(request.CalculateSize());
        request.WriteTo(context.GetBufferWriter());
        context.Complete();
    }

    private static LookupBatchResponse Read(DeserializationContext context)
    {
        ReadOnlySequence<byte> payload = context.PayloadAsReadOnlySequence();
        byte[] message = GC.AllocateUninitializedArray<byte>(checked((int)payload.Length));
        payload.CopyTo(message);
        return Parse(message);
    }
}
