namespace BpfRemote.Client;

/// <summary>The first byte that an agent sends, of HTTP/2's SETTINGS: only with it a connection is made.</summary>
/// <remarks>
/// The first write of the connection, HTTP/2's preface, waits for it. So one who listens and never answers is found out within the time
/// to connect, and a connection that ends before is known by its reason, which HTTP/2 would not tell.
/// </remarks>
internal sealed class FirstAnswer
{
    private readonly byte[] _byte = new byte[1];
    private readonly Task _arrival;

    /// <summary>Listens for it.</summary>
    /// <param name="read">Reads from the connection.</param>
    /// <param name="ended">Makes the error of a connection that ends before, of what broke it if anything did.</param>
    /// <param name="arrived">Called when it is there.</param>
    public FirstAnswer(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read, Func<Exception?, Exception> ended, Action? arrived = null) =>
        _arrival = ArriveAsync(read, ended, arrived);

    /// <summary>Whether it is there.</summary>
    public bool HasArrived => _arrival.IsCompletedSuccessfully;

    /// <summary>Whether <see cref="TakeAsync"/> has handed it over.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Writes what it answers, and waits for it.</summary>
    /// <exception cref="Exception">The connection ended before.</exception>
    public async ValueTask AskAsync(
        Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> write, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            await write(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The connection is at its end, and the answer says why if anything does.
            await _arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
            throw;
        }

        await _arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits for it and hands it over; to a buffer without room nothing, as yet.</summary>
    /// <exception cref="Exception">The connection ended before.</exception>
    public async ValueTask<int> TakeAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await _arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (buffer.IsEmpty)
        {
            return 0;
        }

        IsTaken = true;
        _byte.CopyTo(buffer);
        return _byte.Length;
    }

    private async Task ArriveAsync(
        Func<Memory<byte>, CancellationToken, ValueTask<int>> read, Func<Exception?, Exception> ended, Action? arrived)
    {
        Exception? broken = null;
        try
        {
            if (await read(_byte, CancellationToken.None).ConfigureAwait(false) > 0)
            {
                arrived?.Invoke();
                return;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            broken = error;
        }

        throw ended(broken);
    }
}
