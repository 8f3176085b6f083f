using System.Buffers;
using System.Text;

namespace BpfRemote.Cli.Output;

/// <summary>
/// Gathers output and hands it to standard output in large writes. Its size is fixed: what is larger than the room it has left
/// pushes out what it holds, which is written while more is gathered.
/// </summary>
internal sealed class OutputBuffer(Stream stream) : IBufferWriter<byte>
{
    /// <summary>The most bytes that <see cref="Reserve"/> gives at once.</summary>
    public const int MaxReserve = 64 << 10;

    // Small against what one response makes: the last buffer of each is written while nothing is gathered.
    private const int Size = 2 * MaxReserve;

    private byte[] _buffer = new byte[Size];
    private int _used;

    // The buffer that is being written, or was, once there has been more than one holds.
    private byte[]? _other;
    private Task _writing = Task.CompletedTask;

    /// <summary>Room for <paramref name="count"/> bytes; those that are used are then told to <see cref="Advance"/>.</summary>
    /// <param name="count">At most <see cref="MaxReserve"/>.</param>
    /// <exception cref="OutputException">Standard output failed.</exception>
    public Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _used < count)
        {
            Push();
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
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_used);
    }

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
    /// <exception cref="OutputException">Standard output failed, now or with what was pushed out before.</exception>
    public void Flush()
    {
        FinishWriting();
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

    // One write at a time, so that their order stays, and this side waits where it is the faster one.
    private void Push()
    {
        FinishWriting();
        (byte[] full, int used) = (_buffer, _used);
        (_buffer, _other, _used) = (_other ?? new byte[Size], full, 0);
        _writing = Task.Run(() => stream.Write(full, 0, used));
    }

    private void FinishWriting()
    {
        try
        {
            _writing.GetAwaiter().GetResult();
        }
        catch (IOException cause)
        {
            // Nor is what was to follow it written.
            _writing = Task.CompletedTask;
            _used = 0;
            throw new OutputException(cause);
        }
    }
}
