using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BpfRemote.Cli.Entries;

namespace BpfRemote.Cli.Top;

/// <summary>The number of each key and when it was read: all that is kept of a refresh until the next.</summary>
/// <param name="keySize">Bytes of a key.</param>
internal sealed class NumberTable(int keySize)
{
    // A tenth of a millisecond in 32 bits: differences hold for five days, and no two refreshes are further apart.
    private const double TicksPerSecond = 10_000;

    private readonly EntryTable _entries = new(keySize, Unsafe.SizeOf<Reading>());

    public int Count => _entries.Count;

    /// <summary>Puts a key in.</summary>
    /// <param name="key">The key.</param>
    /// <param name="number">Its number, as bits.</param>
    /// <param name="time">When it was read, from whenever.</param>
    /// <returns>Whether it was not there: maps that are walked by key may give one twice.</returns>
    public bool Put(ReadOnlySpan<byte> key, ulong number, TimeSpan time)
    {
        Reading reading = new(number, Ticks(time));
        return _entries.Put(key, MemoryMarshal.AsBytes(new ReadOnlySpan<Reading>(in reading)));
    }

    /// <summary>Finds a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="time">The time now.</param>
    /// <param name="number">Its number, as bits.</param>
    /// <param name="seconds">How long ago that was read; above 0.</param>
    public bool TryFind(ReadOnlySpan<byte> key, TimeSpan time, out ulong number, out double seconds)
    {
        (number, seconds) = (0, 0);
        if (!_entries.TryMeet(key, out ReadOnlySpan<byte> value, out _))
        {
            return false;
        }

        Reading reading = MemoryMarshal.Read<Reading>(value);
        number = reading.Number;
        seconds = Math.Max(1, unchecked(Ticks(time) - reading.Ticks)) / TicksPerSecond;
        return true;
    }

    public void Clear() => _entries.Clear();

    private static uint Ticks(TimeSpan time) => unchecked((uint)(long)(time.TotalSeconds * TicksPerSecond));

    [StructLayout(LayoutKind.Sequential, Pack = sizeof(uint))]
    private readonly record struct Reading(ulong Number, uint Ticks);
}
