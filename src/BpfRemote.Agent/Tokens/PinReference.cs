using System.Security.Cryptography;
using System.Text;

namespace BpfRemote.Agent.Tokens;

/// <summary>The pin that selected a map, as a token remembers it: its path, or a digest of one that does not fit.</summary>
internal sealed record PinReference
{
    /// <summary>Bytes of a digest.</summary>
    public const int DigestSize = 16;

    /// <summary>No pin: the map was selected by id or name.</summary>
    public static readonly PinReference None = new();

    private enum Form : byte
    {
        None = 0,
        Path = 1,
        Digest = 2,
    }

    /// <summary>The path; null where there is no pin or the token had no room for it.</summary>
    public string? Path { get; private init; }

    /// <summary>The first bytes of the path's SHA-256; empty where there is no pin.</summary>
    public ReadOnlyMemory<byte> Digest { get; private init; }

    /// <summary>Refers to a path.</summary>
    public static PinReference To(string path) =>
        new() { Path = path, Digest = SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsMemory(0, DigestSize) };

    /// <summary>Whether this refers to a path.</summary>
    public bool RefersTo(string path) => Digest.Span.SequenceEqual(To(path).Digest.Span);

    /// <summary>Writes the path where it fits <paramref name="room"/>, its digest otherwise.</summary>
    /// <param name="room">At least 1 + <see cref="DigestSize"/> bytes.</param>
    /// <returns>The bytes written.</returns>
    public int Write(Span<byte> room)
    {
        if (Digest.IsEmpty)
        {
            room[0] = (byte)Form.None;
            return 1;
        }

        if (Path is not null && Encoding.UTF8.TryGetBytes(Path, room[1..], out int length))
        {
            room[0] = (byte)Form.Path;
            return 1 + length;
        }

        room[0] = (byte)Form.Digest;
        Digest.Span.CopyTo(room[1..]);
        return 1 + DigestSize;
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null where it is malformed.</summary>
    public static PinReference? Read(ReadOnlySpan<byte> from) => from switch
    {
        [(byte)Form.None] => None,
        [(byte)Form.Path, .. var path] => To(Encoding.UTF8.GetString(path)),
        [(byte)Form.Digest, .. { Length: DigestSize } digest] => new() { Digest = digest.ToArray() },
        _ => null,
    };
}
