using System.Buffers;
using System.Text;

namespace BpfRemote.Cli.Output;

/// <summary>
/// Gathers output and hands it to standard output in large writes. Its size is fixed: what is larger than the room it has left
/// pushes out what it holds.
/// </summary>
internal sealed class OutputBuffer(Stream stream) : IBufferWriter<byte>
{
    /// <summary>The most bytes that <see cref="Reserve"/> gives at once.</summary>
    public const int MaxReserve = 64 << 10;

    private readonly byte[] _buffer = new byte[4 * MaxReserve];
    private int _used;

    /// <summary>Room for <paramref name="count"/> bytes; those that are used are then told to <see cref="Advance"/>.</summary>
    /// <param name="count">At most <see cref="MaxReserve"/>.</param>
    /// <exception cref="OutputException">Standard output failed.</exception>
    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _used < count)
        {
            Flush();
        }

        return _buffer.AsSpan(_used, count);
    }

    /// <summary>Keeps the first <paramref name="count"/> bytes of what was reserved last.</summary>
    public void Advance(int count) => _used += count;

    /// <summary>All the room there is, at least <paramref name="sizeHint"/> bytes of at most <see cref="MaxReserve"/>.</summary>
    /// <exception cref="OutputException">Standard output failed.</exception>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_used);
    }

    /// <summary>All the room there is, at least <paramref name="sizeHint"/> bytes of at most <see cref="MaxReserve"/>.</summary>
    /// <exception cref="OutputException">Standard output failed.</exception>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <exception cref="OutputException">Standard output failed.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > MaxReserve)
        {
            bytes[..MaxReserve].CopyTo(Reserve(MaxReserve));
            Advance(MaxReserve);
            bytes = bytes[MaxReserve..];
        }

        bytes.CopyTo(Reserve(bytes.Length));
        Advance(bytes.Length);
    }

    /// <exception cref="OutputException">Standard output failed.</exception>
    public void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Hands everything to standard output; when it returns, all of it is written.</summary>
    /// <exception cref="OutputException">Standard output failed.</exception>
    public void Flush()
    {
        try
        {
            stream.Write(_buffer, 0, _used);
            stream.Flush();
        }
        catch (IOException cause)
        {
            throw new OutputException(cause);
        }
        finally
        {
            // What failed once is not tried again: whoever reports the failure must not trip over it.
            _used = 0;
        }
    }
}
