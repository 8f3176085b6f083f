using System.Runtime.InteropServices;

namespace BpfRemote.Libbpf;

/// <summary>The batch cursor of one map: a bucket index for hash types, the last index for arrays, the last key for tries.</summary>
/// <remarks>The kernel writes at least 4 bytes, whatever the key size; the same buffer serves as in_batch and out_batch.</remarks>
public sealed class MapCursor
{
    private readonly byte[] _bytes;

    /// <summary>A cursor at the start of a map with keys of <paramref name="keySize"/> bytes.</summary>
    public MapCursor(uint keySize) => _bytes = new byte[Math.Max(sizeof(uint), keySize)];

    /// <summary>Whether the cursor stands anywhere; false means the start, for which in_batch is NULL.</summary>
    public bool HasPosition { get; private set; }

    /// <summary>The cursor's bytes: max(4, key_size).</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The cursor as a number: bucket or index.</summary>
    public uint Index => MemoryMarshal.Read<uint>(_bytes);

    /// <summary>Puts the cursor at a bucket or index.</summary>
    public void MoveTo(uint index)
    {
        MemoryMarshal.Write(_bytes, index);
        HasPosition = true;
    }

    /// <summary>Puts the cursor at a key of the map's key size.</summary>
    public void MoveTo(ReadOnlySpan<byte> key)
    {
        key.CopyTo(_bytes);
        HasPosition = true;
    }

    /// <summary>The buffer for out_batch; whoever writes it says so with <see cref="MarkWritten"/>.</summary>
    public Span<byte> OutBatch => _bytes;

    /// <summary>Says that out_batch was written.</summary>
    public void MarkWritten() => HasPosition = true;
}
