using System.Globalization;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Client;

/// <summary>Receives one BTF object in chunks, or only its hash where the object is already here.</summary>
internal sealed class BtfDownload(IAsyncStreamReader<GetBtfResponse> chunks, BtfCache cache)
{
    private const int Sha256Size = 32;

    // That of a kernel is 5 MB, of a large program a tenth of it.
    private const ulong MaxSize = 256 << 20;

    /// <summary>Receives the object.</summary>
    /// <exception cref="InvalidResponseException">What comes is not what the first chunk announced.</exception>
    /// <exception cref="RpcException">The call failed.</exception>
    public async Task<BtfObject> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!await chunks.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            throw new InvalidResponseException("GetBtf answered nothing");
        }

        GetBtfResponse first = chunks.Current;
        if (first.Sha256.Length != Sha256Size || first.TotalSize is 0 or > MaxSize)
        {
            throw new InvalidResponseException($"GetBtf announced {first.TotalSize} bytes with a hash of {first.Sha256.Length} bytes");
        }

        string sha256 = Convert.ToHexStringLower(first.Sha256.Span);
        if (cache.Find(sha256) is { } known)
        {
            return known;
        }

        byte[] data = new byte[first.TotalSize];
        int received = 0;
        do
        {
            ReadOnlySpan<byte> chunk = chunks.Current.Data.Span;
            if (chunk.Length > data.Length - received)
            {
                throw new InvalidResponseException($"GetBtf announced {data.Length} bytes and sends more");
            }

            chunk.CopyTo(data.AsSpan(received));
            received += chunk.Length;
        }
        while (await chunks.MoveNext(cancellationToken).ConfigureAwait(false));

        BtfObject btf = new(data);
        if (received != data.Length || btf.Sha256 != sha256)
        {
            throw new InvalidResponseException(string.Create(
                CultureInfo.InvariantCulture, $"GetBtf sent {received} of {data.Length} bytes, or others than its hash is of"));
        }

        cache.Add(btf);
        return btf;
    }
}
