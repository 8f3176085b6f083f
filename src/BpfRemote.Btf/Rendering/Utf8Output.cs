using System.Buffers;
using System.Runtime.CompilerServices;

namespace BpfRemote.Btf;

/// <summary>Writes UTF-8 straight into the memory of a buffer writer, asking for it in pieces of 4 KiB and never for more.</summary>
internal ref struct Utf8Output(IBufferWriter<byte> writer)
{
    private const int PieceSize = 4096;

    private Span<byte> _free;
    private int _used;

    /// <summary>
    /// Memory for at least <paramref name="size"/> bytes, at most 4 KiB, of which <see cref="Advance"/> then takes what was written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int size)
    {
        if (_free.Length - _used < size)
        {
            BeginPiece();
        }

        return _free[_used..];
    }

    public void Advance(int count) => _used += count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(scoped ReadOnlySpan<byte> text)
    {
        if (text.Length > _free.Length - _used)
        {
            WritePieces(text);
            return;
        }

        text.CopyTo(_free[_used..]);
        _used += text.Length;
    }

    public void Write(byte character)
    {
        Reserve(1)[0] = character;
        _used++;
    }

    /// <summary>Hands over what was written; nothing is before.</summary>
    public void Flush()
    {
        writer.Advance(_used);
        _free = default;
        _used = 0;
    }

    private void BeginPiece()
    {
        Flush();
        _free = writer.GetSpan(PieceSize);
    }

    private void WritePieces(scoped ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            int length = Math.Min(text.Length, PieceSize);
            text[..length].CopyTo(Reserve(length));
            _used += length;
            text = text[length..];
        }
    }
}
