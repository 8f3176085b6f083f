using Xunit;

namespace BpfRemote.Libbpf.Tests;

public sealed class ParsingTests
{
    [Theory]
    [InlineData("0\n", new uint[] { 0 })]
    [InlineData("0-3\n", new uint[] { 0, 1, 2, 3 })]
    [InlineData("0-3,8", new uint[] { 0, 1, 2, 3, 8 })]
    [InlineData("1,5-6,9-9\n", new uint[] { 1, 5, 6, 9 })]
    public void A_list_of_cpus_gives_their_ids_in_order(string text, uint[] ids) => Assert.Equal(ids, CpuList.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("3-1")]
    [InlineData("0-")]
    [InlineData("a")]
    [InlineData("0, 1")]
    public void What_is_no_list_of_cpus_is_refused(string text) => Assert.Throws<FormatException>(() => CpuList.Parse(text));

    [Fact]
    public void Fdinfo_of_a_map_is_read() => Assert.Equal(
        new FdInfo { MapId = 98, MemlockBytes = 1360, Frozen = true, OwnerProgType = 6, OwnerJited = true },
        FdInfo.Parse("""
            pos:	0
            flags:	02000000
            mnt_id:	17
            map_type:	3
            map_flags:	0x80
            memlock:	1360
            map_id:	98
            frozen:	1
            owner_prog_type:	6
            owner_jited:	1

            """u8));

    [Fact]
    public void Fdinfo_of_a_program_names_no_map() =>
        Assert.Equal(new FdInfo { MemlockBytes = 4096 }, FdInfo.Parse("prog_type:\t1\nmemlock:\t4096\nprog_id:\t181\n"u8));

    [Theory]
    [InlineData("")]
    [InlineData("\n:\nmap_id\nmap_id:\nmap_id:\tx")]
    public void Fdinfo_without_sense_names_no_map(string text) =>
        Assert.Equal(default, FdInfo.Parse(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Mounts_of_one_file_system_are_found_whatever_optional_fields_and_spaces_there_are() => Assert.Equal(
        ["/sys/fs/bpf", "/run/my bpf\\x"],
        MountInfo.MountPoints(
            [
                "23 1 0:5 / / rw - ext4 /dev/vda rw",
                "42 23 0:39 / /sys/fs/bpf rw,relatime - bpf bpf rw",
                @"43 23 0:40 / /run/my\040bpf\134x rw shared:7 master:1 - bpf none rw",
                "44 23 0:41 / /bpf rw - tmpfs bpf rw",
                "a torn line",
                "",
            ],
            "bpf"));
}
