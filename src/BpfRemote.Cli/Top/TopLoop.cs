using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Top;

/// <summary>Refreshes a view until it has shown enough, or is interrupted.</summary>
/// <param name="session">The clock.</param>
/// <param name="scan">What finds the entries.</param>
/// <param name="view">What shows them.</param>
/// <param name="pace">How often.</param>
/// <param name="options">How many times.</param>
internal sealed class TopLoop(Session session, TopScan scan, TopView view, RefreshPace pace, TopOptions options)
{
    /// <summary>Runs it.</summary>
    /// <param name="cancellationToken">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="CommandException">The map is gone for good, or its entries cannot be compared.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await scan.SelectAsync(cancellationToken);
        if (view.IsWatched)
        {
            // Of a large map that takes a while.
            view.Tell("reading the map twice, to know what grows");
        }

        for (ulong shown = 0; ;)
        {
            long begin = session.Time.GetTimestamp();
            TimeSpan interval = pace.Asked;
            if (await TryRefreshAsync(cancellationToken) is { } refresh)
            {
                interval = pace.Next(refresh.KernelTime, refresh.Duration);
                bool isWhole = refresh.HasRates || options.ByValue;
                if (isWhole || view.IsWatched)
                {
                    view.Show(refresh);
                }

                if (isWhole && ++shown == options.Count)
                {
                    return;
                }
            }

            TimeSpan wait = interval - session.Time.GetElapsedTime(begin);
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, session.Time, cancellationToken);
        }
    }

    /// <returns>null where there is nothing to show this time.</returns>
    private async Task<Refresh?> TryRefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await scan.TryRefreshAsync(options.Limit ?? view.Capacity, cancellationToken) is { } refresh)
            {
                return refresh;
            }
        }
        catch (BpfRemoteException error) when (error.Reason is ErrorReason.ScanUnstable)
        {
            view.Tell($"trying again: {error.Message}");
            return null;
        }
        catch (BpfRemoteException error) when (error.Reason is ErrorReason.MapReplaced or ErrorReason.TokenExpired or ErrorReason.MapNotFound)
        {
            // Final only where the selector leads nowhere.
        }

        await scan.SelectAsync(cancellationToken);
        return null;
    }
}
