using BpfRemote.Libbpf;
using BpfRemote.Simulation.Elements;

namespace BpfRemote.Simulation;

/// <summary>What a batch call leaves behind when the kernel breaks it off.</summary>
internal static class FailingBatch
{
    public static BatchResult Read(
        Errno error, MapElements elements, MapCursor cursor, Span<byte> keys, Span<byte> values, int count)
    {
        switch (error)
        {
            // What was copied before the fault stays in the buffers, and nothing says how much it was.
            case Errno.EFAULT:
                elements.LookupBatch(Copy(cursor), keys, values, count);
                return new BatchResult(0, error);

            case Errno.EINTR or Errno.EBUSY or Errno.EDEADLK or Errno.ETIMEDOUT or Errno.ENOMEM:
                return ReadPart(error, elements, cursor, keys, values, count / 2);

            case Errno.ENOSPC:
                return ReadPart(error, elements, cursor, keys, values, part: 0);

            default:
                return new BatchResult(0, error);
        }
    }

    /// <summary>Breaks off after about <paramref name="part"/> entries: they count, and the cursor stands behind them.
    /// Before the end in any case, for a call that reached the end has nothing left to fail on.</summary>
    private static BatchResult ReadPart(
        Errno error, MapElements elements, MapCursor cursor, Span<byte> keys, Span<byte> values, int part)
    {
        for (; ; part /= 2)
        {
            MapCursor reached = Copy(cursor);
            BatchResult read = elements.LookupBatch(reached, keys, values, part);
            if (read.Error != Errno.ENOENT)
            {
                if (reached.HasPosition)
                {
                    cursor.MoveTo(reached.Bytes);
                }

                return new BatchResult(read.Count, error);
            }

            if (part == 0)
            {
                return new BatchResult(0, error);
            }
        }
    }

    private static MapCursor Copy(MapCursor cursor)
    {
        MapCursor copy = new((uint)cursor.Bytes.Length);
        if (cursor.HasPosition)
        {
            copy.MoveTo(cursor.Bytes);
        }

        return copy;
    }
}
