using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace BpfRemote.Agent.Tokens;

/// <summary>Turns a payload into opaque URL-safe text that nobody else can read or make, and back.</summary>
/// <remarks>Text is base64url of: version (1), key id (4), nonce (12), sealed payload, tag (16). Version and key id are
/// authenticated, and so is the purpose, which keeps a token of one kind from passing as another.</remarks>
internal sealed class TokenSealer(TokenKeyRing keys)
{
    /// <summary>The most characters of a token.</summary>
    public const int MaxLength = 1_024;

    /// <summary>The most bytes of a payload.</summary>
    public const int MaxPayload = (MaxLength / 4 * 3) - Overhead;

    private const byte Version = 2; // 2: names the scan
    private const int HeaderSize = 1 + sizeof(uint);
    private const int Overhead = HeaderSize + TokenKey.NonceSize + TokenKey.TagSize;
    private const int MaxBytes = MaxPayload + Overhead;

    /// <summary>Seals a payload of at most <see cref="MaxPayload"/> bytes.</summary>
    public string Seal(TokenPurpose purpose, ReadOnlySpan<byte> payload)
    {
        TokenKey key = keys.Current;
        Span<byte> token = stackalloc byte[MaxBytes];
        token = token[..(Overhead + payload.Length)];
        token[0] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(token[1..], key.Id);
        Span<byte> nonce = token.Slice(HeaderSize, TokenKey.NonceSize);
        RandomNumberGenerator.Fill(nonce);
        key.Seal(
            nonce,
            payload,
            token.Slice(HeaderSize + TokenKey.NonceSize, payload.Length),
            token[^TokenKey.TagSize..],
            [.. token[..HeaderSize], (byte)purpose]);
        return Base64Url.EncodeToString(token);
    }

    /// <summary>Opens a token.</summary>
    /// <param name="purpose">What it must have been sealed for.</param>
    /// <param name="token">The text.</param>
    /// <param name="payload">At least <see cref="MaxPayload"/> bytes.</param>
    /// <param name="length">Bytes of the payload.</param>
    public TokenOpening TryOpen(TokenPurpose purpose, string token, Span<byte> payload, out int length)
    {
        length = 0;
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (!TryDecode(token, bytes, out int size) || size < Overhead)
        {
            return TokenOpening.Invalid;
        }

        bytes = bytes[..size];
        if (bytes[0] != Version || keys.Find(BinaryPrimitives.ReadUInt32LittleEndian(bytes[1..])) is not { } key)
        {
            return TokenOpening.Expired;
        }

        int sealedSize = size - Overhead;
        bool opened = key.TryOpen(
            bytes.Slice(HeaderSize, TokenKey.NonceSize),
            bytes.Slice(HeaderSize + TokenKey.NonceSize, sealedSize),
            bytes[^TokenKey.TagSize..],
            payload[..sealedSize],
            [.. bytes[..HeaderSize], (byte)purpose]);
        length = opened ? sealedSize : 0;
        return opened ? TokenOpening.Opened : TokenOpening.Invalid;
    }

    /// <summary>Decodes the one spelling that encoding gives: other spellings of the same bytes are refused.</summary>
    private static bool TryDecode(string token, Span<byte> bytes, out int size)
    {
        size = 0;
        if (token.Length > MaxLength)
        {
            return false;
        }

        Span<byte> ascii = stackalloc byte[MaxLength];
        Span<byte> spelled = stackalloc byte[MaxLength];
        return Ascii.FromUtf16(token, ascii, out int length) == System.Buffers.OperationStatus.Done
            && Base64Url.IsValid(ascii[..length], out int decodedLength)
            && decodedLength <= bytes.Length
            && Base64Url.TryDecodeFromUtf8(ascii[..length], bytes, out size)
            && Base64Url.TryEncodeToUtf8(bytes[..size], spelled, out int spelledLength)
            && ascii[..length].SequenceEqual(spelled[..spelledLength]);
    }
}

/// <summary>What a token is for.</summary>
internal enum TokenPurpose : byte
{
    /// <summary>To continue a scan.</summary>
    Continuation = 1,

    /// <summary>To ask for the next page of maps.</summary>
    Page = 2,
}

/// <summary>How opening a token ended.</summary>
internal enum TokenOpening
{
    /// <summary>It is ours and unchanged.</summary>
    Opened,

    /// <summary>It is not ours, or was changed.</summary>
    Invalid,

    /// <summary>Its version or key is unknown.</summary>
    Expired,
}
