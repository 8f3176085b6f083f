using BpfRemote.Cli.Entries;
using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>
/// Compares two sides: reads the old one into memory, packed, and the new one past it. A key that a best-effort scan repeats counts
/// once where the old side has it.
/// </summary>
/// <param name="writer">Writes what differs; null where the numbers are enough.</param>
/// <param name="schema">What the entries are; null where that is not known.</param>
internal sealed class MapComparison(DiffWriter? writer, MapSchema? schema)
{
    private EntryShape? _shape;
    private EntryTable? _old;

    public int Added { get; private set; }

    public int Removed { get; private set; }

    public int Changed { get; private set; }

    public int Same { get; private set; }

    public bool IsDifferent => Added + Removed + Changed > 0;

    /// <summary>Compares.</summary>
    /// <param name="old">The old side.</param>
    /// <param name="now">The new side, which is read after the old one, and after the wait.</param>
    /// <param name="between">Is waited for between them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommandException">The sides are of different maps.</exception>
    public async Task RunAsync(DiffSide old, DiffSide now, Func<Task> between, CancellationToken cancellationToken)
    {
        await old.ReadAsync(Remember, cancellationToken);
        await between();
        writer?.Begin(schema);
        await now.ReadAsync(Compare, cancellationToken);
        _old?.ForEachUnmet((key, value) =>
        {
            Removed++;
            writer?.Write(DiffKind.Removed, _shape!, key, value, default);
        });
    }

    private void Remember(EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Check(shape);
        _old ??= new(shape.KeySize, shape.PackedSize);
        _old.Put(key, value);
    }

    private void Compare(EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Check(shape);
        ReadOnlySpan<byte> before = default;
        bool again = false;
        if (_old?.TryMeet(key, out before, out again) != true)
        {
            Added++;
            writer?.Write(DiffKind.Added, shape, key, default, value);
        }
        else if (again)
        {
            return;
        }
        else if (before.SequenceEqual(value))
        {
            Same++;
        }
        else
        {
            Changed++;
            writer?.Write(DiffKind.Changed, shape, key, before, value);
        }
    }

    private void Check(EntryShape shape)
    {
        if (ReferenceEquals(_shape, shape))
        {
            return;
        }

        if (_shape?.Fits(shape) == false)
        {
            throw new CommandException(ExitCode.Failed, $"these are different maps: one has {_shape}, the other {shape}");
        }

        if (schema is not null && !shape.Fits(schema))
        {
            throw new CommandException(ExitCode.Failed, $"these are different maps: one has {shape}, too few for the types of the other");
        }

        _shape = shape;
    }
}
