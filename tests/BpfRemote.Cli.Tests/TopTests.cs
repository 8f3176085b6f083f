using System.Text;
using BpfRemote.Btf.Tests;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Cli.Top;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

/// <summary>Which numbers entries are compared by, and how they look in a table.</summary>
public sealed class TopTests
{
    private static readonly Layout Layout = new() { MapId = 7, KeySize = 4, ValueSize = 64, ValueStride = 64 };

    [Fact]
    public void The_number_is_by_default_the_first_that_counts_what_people_look_at() =>
        Assert.Equal("stats.rx_packets", Default(static types =>
        [
            ("since", types.Int("unsigned int", 4)), ("bytes", types.Int("unsigned int", 4)),
            ("stats", types.Struct("stats", 8, ("errors", types.Int("int", 4), 0), ("rx_packets", types.Int("int", 4), 32))),
        ]));

    [Fact]
    public void Else_it_is_the_first_integer_that_is_no_address_no_padding_and_not_in_network_order() =>
        Assert.Equal("depth", Default(static types =>
        [
            ("saddr", types.Int("unsigned int", 4)), ("pad", types.Int("unsigned int", 4)),
            ("port", types.Typedef("__be32", types.Int("unsigned int", 4))), ("depth", types.Int("unsigned int", 4)),
        ]));

    [Fact]
    public void A_histogram_counts_as_the_sum_of_its_slots()
    {
        MapSchema schema = Schema(static types => [("slots", types.Array(types.Int("unsigned int", 4), 3, 1))]);
        SortField field = SortField.Of(Layout, schema, path: null);
        byte[] value = new byte[64];
        (value[0], value[4], value[8]) = (1, 2, 4);
        Assert.Equal("slots (sum)", field.Title);
        Assert.Equal(7, field.Number(field.Read(value)));
        SortField slot = SortField.Of(Layout, schema, "slots[1]");
        Assert.Equal(2, slot.Number(slot.Read(value)));
    }

    [Fact]
    public void Signed_numbers_keep_their_sign()
    {
        SortField field = SortField.Of(Layout, Schema(static types => [("balance", types.Int("int", 4, Btf.BtfIntEncoding.Signed))]), "balance");
        byte[] value = new byte[64];
        value.AsSpan(0, 4).Fill(0xff);
        Assert.Equal(-1, field.Number(field.Read(value)));
    }

    [Theory]
    [InlineData("packet", "struct value has no field 'packet': it has packets, comm, state. Did you mean packets?")]
    [InlineData("state", "--sort takes an integer of at most 64 bits or an array of larger ones than bytes, and state is enum state")]
    [InlineData("comm", "--sort takes an integer of at most 64 bits or an array of larger ones than bytes, and comm is char[4]")]
    public void What_is_no_number_is_refused(string path, string message) => Assert.Contains(
        message, Assert.Throws<CommandException>(() => SortField.Of(Typed.Layout, Typed.Schema(), path)).Message, StringComparison.Ordinal);

    [Fact]
    public void Values_without_an_integer_are_refused() => Assert.Contains(
        "in which no field is an integer to sort by",
        Assert.Throws<CommandException>(() => Default(static types => [("state", types.Enum("state", 4, signed: false, ("NEW", 0)))])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Values_of_other_sizes_without_types_are_refused() => Assert.Contains(
        "the values of map 7 have 64 bytes, and which numbers are in them is not known: give their types with --btf",
        Assert.Throws<CommandException>(() => SortField.Of(Layout, schema: null, path: null)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Maps_whose_values_the_kernel_refuses_are_refused() => Assert.Contains(
        "the kernel gives no values of map 7 (ENOTSUPP): there is nothing to compare",
        Assert.Throws<CommandException>(
            () => new TopMap(new() { Id = 7 }, new() { ValueError = "ENOTSUPP" }, schema: null, new() { Interval = TimeSpan.FromSeconds(1) })).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("Sum", 16)]
    [InlineData("Max", 9)]
    public void Values_of_all_cpus_are_one(string mode, int expected)
    {
        TopMap map = new(new(), Typed.PerCpu, Typed.Schema(), new() { Interval = TimeSpan.FromSeconds(1), PerCpu = Enum.Parse<PerCpuMode>(mode) });
        Assert.Equal((ulong)expected, map.Field.Read(map.OneValue([.. Typed.Value(7, 1), .. Typed.Value(9, 0)])));
    }

    [Theory]
    [InlineData(80, "saddr     dport  packets  packets/s  comm     state\n10.0.0.1    443        7        1.5  \"hi\\\",\"  OPEN\n")]
    [InlineData(43, "saddr     dport  packets  packets/s  state\n10.0.0.1    443        7        1.5  OPEN\n")]
    [InlineData(10, "saddr     dport  packets  packets/s\n10.0.0.1    443        7        1.5\n")]
    public void Keys_number_and_rate_are_shown_and_other_fields_as_they_fit(int width, string expected)
    {
        TopMap map = new(new(), Typed.Layout, Typed.Schema(), new() { Interval = TimeSpan.FromSeconds(1) });
        using MemoryStream stream = new();
        OutputBuffer output = new(stream);
        new TopColumns(map, rawValues: false).Write(output, [new(Typed.Key(1), Typed.Value(7, 1), 7, 1.5, IsNew: false)], width, colour: false);
        output.Flush();
        Assert.Equal(expected, Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Fact]
    public void Of_entries_that_grow_alike_the_larger_leads_and_only_the_first_are_taken()
    {
        Leaders leaders = new(2);
        foreach ((double rate, int number) in ((double, int)[])[(1, 5), (-3, 900), (0, 8), (1, 6)])
        {
            Rank rank = new(rate, number);
            if (leaders.Takes(rank))
            {
                leaders.Add(new([], [], number, rate, IsNew: false), rank);
            }
        }

        Assert.False(leaders.Takes(new(1, 5)));
        Assert.Equal([6, 5], leaders.TakeAll().Select(static entry => entry.Number));
    }

    [Fact]
    public void A_key_that_a_walk_gives_twice_counts_once()
    {
        NumberTable table = new(keySize: 2);
        Assert.True(table.Put([1, 2], 10, TimeSpan.Zero));
        Assert.False(table.Put([1, 2], 11, TimeSpan.Zero));
        Assert.Equal(1, table.Count);
        Assert.True(table.TryFind([1, 2], TimeSpan.FromSeconds(2), out ulong number, out double seconds));
        Assert.Equal((11UL, 2.0), (number, seconds));
        table.Clear();
        Assert.False(table.TryFind([1, 2], TimeSpan.FromSeconds(2), out _, out _));
    }

    private static string Default(Func<BtfWriter, (string Name, uint Type)[]> fields) => SortField.Of(Layout, Schema(fields), path: null).Name;

    /// <summary>Values of a struct of fields of 8 bytes, or of fewer with nothing behind them.</summary>
    private static MapSchema Schema(Func<BtfWriter, (string Name, uint Type)[]> fields)
    {
        BtfWriter types = new();
        (string Name, uint Type)[] given = fields(types);
        uint value = types.Struct("value", 64, [.. given.Select(static (field, i) => (field.Name, field.Type, (uint)(i * 64)))]);
        return MapSchema.Create(new() { KeySize = 4, ValueSize = 64 }, types.Parse(), 0, value);
    }
}
