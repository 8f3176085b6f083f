using BpfRemote.Btf.Tests;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Tests;

/// <summary>Entries whose types are known, in every form.</summary>
public sealed class FieldTests
{
    [Fact]
    public void A_table_has_a_column_for_each_field_but_padding() => Assert.Equal(
        """
        saddr     dport  packets  comm     state
        10.0.0.1    443        7  "hi\","  OPEN
        10.0.0.9    443      255  "hi\","  NEW

        """,
        Typed.Write(Table(Typed.Wide), Typed.Layout, Typed.Schema(), (Typed.Key(1), Typed.Value(7, 1)), (Typed.Key(9), Typed.Value(255, 0))));

    [Fact]
    public void What_is_wider_than_the_terminal_flows() => Assert.Equal(
        """
        saddr = 10.0.0.1
        dport = 443
            packets = 7
            comm = "hi\","
            state = OPEN

        saddr = 10.0.0.9
        dport = 443
            packets = 255
            comm = "hi\","
            state = NEW

        """,
        Typed.Write(
            Table(Typed.Wide with { Width = 24 }), Typed.Layout, Typed.Schema(),
            (Typed.Key(1), Typed.Value(7, 1)), (Typed.Key(9), Typed.Value(255, 0))));

    [Fact]
    public void Fields_share_lines_as_they_fit()
    {
        string text = Typed.Write(Table(Typed.Wide with { Width = 39 }), Typed.Layout, Typed.Schema(), (Typed.Key(1), Typed.Value(7, 1)));
        Assert.Equal(
            """
            saddr = 10.0.0.1  dport = 443
                packets = 7  comm = "hi\","
                state = OPEN

            """,
            text);
    }

    [Fact]
    public void Each_cpu_has_a_row_and_the_key_stands_once() => Assert.Equal(
        """
        saddr     dport  CPU  packets  comm     state
        10.0.0.1    443    0        7  "hi\","  OPEN
                           8        9  "hi\","  NEW

        """,
        Typed.Write(Table(Typed.Wide), Typed.PerCpu, Typed.Schema(), (Typed.Key(1), [.. Typed.Value(7, 1), .. Typed.Value(9, 0)])));

    [Fact]
    public void Each_cpu_has_a_line_where_rows_flow() => Assert.Equal(
        """
        saddr = 10.0.0.1  dport = 443
            CPU = 0  packets = 7
            comm = "hi\","  state = OPEN
            CPU = 8  packets = 9
            comm = "hi\","  state = NEW

        """,
        Typed.Write(
            Table(Typed.Wide with { Width = 34 }), Typed.PerCpu, Typed.Schema(), (Typed.Key(1), [.. Typed.Value(7, 1), .. Typed.Value(9, 0)])));

    [Fact]
    public void Raw_values_are_plain_numbers() => Assert.Equal(
        """
           saddr  dport  packets  comm     state
        16777226  47873        7  "hi\","  OPEN

        """,
        Typed.Write(Table(Typed.Wide with { RawValues = true }), Typed.Layout, Typed.Schema(), (Typed.Key(1), Typed.Value(7, 1))));

    [Fact]
    public void An_empty_map_has_a_header() =>
        Assert.Equal("saddr  dport  packets  comm  state\n", Typed.Write(Table(Typed.Wide), Typed.Layout, Typed.Schema()));

    [Fact]
    public void Widths_come_from_the_first_rows_and_later_ones_push_theirs_out()
    {
        string text = Typed.Write(
            output => new Flushed(output, new FieldEntryWriter(output, Typed.Wide)), Typed.Layout, Typed.Schema(),
            (Typed.Key(1), Typed.Value(7, 1)), (Typed.Key(255), Typed.Value(7, 1)));
        Assert.Equal(
            """
            saddr     dport  packets  comm     state
            10.0.0.1    443        7  "hi\","  OPEN
            10.0.0.255    443        7  "hi\","  OPEN

            """,
            text);
    }

    [Fact]
    public void Variables_of_a_section_stand_below_each_other()
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint section = types.DataSec(".bss", 8, (types.Var("hits", word, 1), 0, 4), (types.Var("misses", word, 1), 4, 4));
        MapSchema schema = MapSchema.Create(new() { KeySize = 4, ValueSize = 8 }, types.Parse(), 0, section);
        Assert.Equal(
            """
            hits = 1
            misses = 2

            """,
            Typed.Write(
                Table(Typed.Wide), new() { KeySize = 4, ValueSize = 8, ValueStride = 8 }, schema, ([0, 0, 0, 0], [1, 0, 0, 0, 2, 0, 0, 0])));
    }

    [Fact]
    public void Values_longer_than_a_line_go_on_in_the_next()
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint section = types.DataSec(".bss", 16, (types.Var("counts", types.Array(word, 3, word), 1), 0, 12), (types.Var("hits", word, 1), 12, 4));
        MapSchema schema = MapSchema.Create(new() { KeySize = 4, ValueSize = 16 }, types.Parse(), 0, section);
        Assert.Equal(
            """
            counts = {1000000,
                2000000, 3000000}
            hits = 4

            """,
            Typed.Write(
                Table(new() { Width = 21, Colour = false }),
                new() { KeySize = 4, ValueSize = 16, ValueStride = 16 },
                schema,
                ([0, 0, 0, 0], [.. ((uint[])[1_000_000, 2_000_000, 3_000_000, 4]).SelectMany(BitConverter.GetBytes)])));
    }

    [Fact]
    public void Csv_has_a_column_for_each_field() => Assert.Equal(
        """"
        key.saddr,key.dport,value.packets,value.comm,value.state
        10.0.0.1,443,7,"hi\"",",OPEN

        """",
        Typed.Write(output => new CsvEntryWriter(output, rawValues: false), Typed.Layout, Typed.Schema(), (Typed.Key(1), Typed.Value(7, 1))));

    [Fact]
    public void Csv_has_the_fields_of_each_cpu_side_by_side() => Assert.Equal(
        """"
        key.saddr,key.dport,cpu0.packets,cpu0.comm,cpu0.state,cpu8.packets,cpu8.comm,cpu8.state
        10.0.0.1,443,7,"hi\"",",OPEN,9,"hi\"",",NEW

        """",
        Typed.Write(
            output => new CsvEntryWriter(output, rawValues: false), Typed.PerCpu, Typed.Schema(),
            (Typed.Key(1), [.. Typed.Value(7, 1), .. Typed.Value(9, 0)])));

    [Fact]
    public void Json_has_what_bpftool_calls_formatted() => Assert.Equal(
        """
        {"key":["0x0a","0x00","0x00","0x01","0x01","0xbb","0xee","0xee"],"value":["0x07","0x00","0x00","0x00","0x00","0x00","0x00","0x00","0x68","0x69","0x22","0x2c","0x01","0x00","0x00","0x00"],"formatted":{"key":{"saddr":16777226,"dport":47873,"__pad2":[238,238]},"value":{"packets":7,"comm":[104,105,34,44],"state":"OPEN"}}}

        """,
        Typed.Write(output => new JsonLinesEntryWriter(output, JsonStyle.Compact), Typed.Layout, Typed.Schema(), (Typed.Key(1), Typed.Value(7, 1))));

    [Fact]
    public void Values_that_the_kernel_refuses_have_no_fields()
    {
        Layout layout = new() { KeySize = 8, ValueSize = 16, ValueError = "ENOTSUPP" };
        Assert.DoesNotContain(
            "formatted", Typed.Write(output => new JsonLinesEntryWriter(output, JsonStyle.Compact), layout, Typed.Schema(), (Typed.Key(1), [])),
            StringComparison.Ordinal);
        Assert.Contains(
            "ENOTSUPP", Typed.Write(Table(Typed.Wide), layout, Typed.Schema(), (Typed.Key(1), [])), StringComparison.Ordinal);
        Assert.Equal(
            "key.saddr,key.dport,error\n10.0.0.1,443,ENOTSUPP\n",
            Typed.Write(output => new CsvEntryWriter(output, rawValues: false), layout, Typed.Schema(), (Typed.Key(1), [])));
    }

    private static Func<OutputBuffer, EntryWriter> Table(Display display) =>
        output => new TableEntryWriter(output, severalMaps: false, display);

    /// <summary>Ends a response after each entry.</summary>
    private sealed class Flushed(OutputBuffer output, EntryWriter writer) : EntryWriter(output)
    {
        public override void BeginMap(Map map, Layout layout, MapSchema? schema) => writer.BeginMap(map, layout, schema);

        public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            writer.WriteEntry(key, value);
            writer.Flush();
        }

        public override void EndMap(bool complete) => writer.EndMap(complete);
    }
}
