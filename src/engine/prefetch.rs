//! The one module with `unsafe` code: a cache hint.

/// Asks the processor to load the line at `address`. Only a hint: no program's result depends on it.
#[inline(always)]
#[allow(unsafe_code)]
pub fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: PREFETCHT0 is defined for every address, mapped or not; it reads nothing into the program and never faults.
    // SSE, which brings it, belongs to every x86-64 processor.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
