using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Tests;

public sealed class OutputBufferTests
{
    // More than two buffers hold, and of no size that divides them.
    private static readonly byte[] Large = [.. Enumerable.Range(0, 3_000_001).Select(static i => (byte)(i * 31 >> 3))];

    [Theory]
    [InlineData(1)]
    [InlineData(7777)]
    [InlineData(OutputBuffer.MaxReserve)]
    [InlineData(3_000_001)]
    public void All_bytes_are_written_in_their_order(int chunk)
    {
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        for (int i = 0; i < Large.Length; i += chunk)
        {
            output.Write(Large.AsSpan(i, Math.Min(chunk, Large.Length - i)));
        }

        output.Flush();
        Assert.True(Large.AsSpan().SequenceEqual(stream.ToArray()));
    }

    [Fact]
    public void More_is_gathered_while_a_write_lasts()
    {
        using ManualResetEventSlim gathered = new();
        using HookedStream stream = new(_ => Assert.True(gathered.Wait(TimeSpan.FromMinutes(1))));
        OutputBuffer output = new(stream);
        ReadOnlySpan<byte> twoBuffers = Large.AsSpan(0, 3 * OutputBuffer.MaxReserve);

        output.Write(twoBuffers);
        gathered.Set();
        output.Flush();

        Assert.True(twoBuffers.SequenceEqual(stream.ToArray()));
    }

    [Fact]
    public void A_failed_write_is_told_and_nothing_is_written_after_it()
    {
        using HookedStream stream = new(static write =>
        {
            if (write >= 2)
            {
                throw write == 2 ? new IOException("No space left on device") : new InvalidOperationException();
            }
        });
        OutputBuffer output = new(stream);

        OutputException error = Assert.Throws<OutputException>(() =>
        {
            output.Write(Large);
            output.Flush();
        });

        Assert.Equal("can't write to standard output: No space left on device", error.Message);
        output.Flush();
    }

    [Fact]
    public void A_flush_tells_of_a_failed_write_before_it()
    {
        using HookedStream stream = new(static write =>
            throw (write == 1 ? new IOException("Broken pipe", 32) : new InvalidOperationException()));
        OutputBuffer output = new(stream);
        output.Write(Large.AsSpan(0, 3 * OutputBuffer.MaxReserve));

        Assert.True(Assert.Throws<OutputException>(output.Flush).ReaderIsGone);
    }

    /// <summary>Calls back before each write, with its number.</summary>
    private sealed class HookedStream(Action<int> beforeWrite) : MemoryStream
    {
        private int _writes;

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (count > 0)
            {
                beforeWrite(++_writes);
            }

            base.Write(buffer, offset, count);
        }
    }
}
