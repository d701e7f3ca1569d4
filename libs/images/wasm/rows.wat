;; Row kernels of the resizers (src/resize-opencv.ts, src/resize-pillow.ts, src/normalise.ts) in WebAssembly SIMD.
;; Pictures are interleaved RGB bytes. Kernels work in whole vectors: they read and write up to 63 bytes past a row's end, so
;; every buffer carries that much slack. Counts are at least 1. Compiled by build.ts into src/rows-wasm.ts.
(module
  (memory (export "memory") 1)

  ;; OpenCV's horizontal pass: out[x] = (near * left pixel + far * right pixel) >> 4 as 16-bit values, three a pixel.
  ;; offsets: byte offset of each left pixel; weights: near and far as a pair of 16-bit values.
  (func (export "stretchRow")
    (param $source i32) (param $offsets i32) (param $weights i32) (param $count i32) (param $out i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $offsets) (i32.shl (local.get $count) (i32.const 2))))
    (loop $pixel
      (v128.store64_lane 0
        (local.get $out)
        (i16x8.narrow_i32x4_s
          (i32x4.shr_s
            (i32x4.dot_i16x8_s
              (i8x16.swizzle ;; r R g G b B, as 16-bit pairs
                (v128.load64_zero (i32.add (local.get $source) (i32.load (local.get $offsets))))
                (v128.const i8x16 0 -128 3 -128 1 -128 4 -128 2 -128 5 -128 -128 -128 -128 -128))
              (v128.load32_splat (local.get $weights)))
            (i32.const 4))
          (v128.const i32x4 0 0 0 0)))
      (local.set $out (i32.add (local.get $out) (i32.const 6)))
      (local.set $weights (i32.add (local.get $weights) (i32.const 4)))
      (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
      (br_if $pixel (i32.lt_u (local.get $offsets) (local.get $end)))))

  ;; OpenCV's vertical pass over `count` values: out = ((upper * near >> 16) + (lower * far >> 16) + 2) >> 2.
  (func (export "blendRows")
    (param $upper i32) (param $lower i32) (param $near i32) (param $far i32) (param $out i32) (param $count i32)
    (local $end i32) (local $n v128) (local $f v128) (local $two v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $n (i16x8.splat (local.get $near)))
    (local.set $f (i16x8.splat (local.get $far)))
    (local.set $two (i16x8.splat (i32.const 2)))
    (local.set $end (i32.add (local.get $out) (local.get $count)))
    (loop $block
      (local.set $a (v128.load (local.get $upper)))
      (local.set $b (v128.load (local.get $lower)))
      (local.set $c (v128.load offset=16 (local.get $upper)))
      (local.set $d (v128.load offset=16 (local.get $lower)))
      (v128.store
        (local.get $out)
        (i8x16.narrow_i16x8_u
          (i16x8.shr_s
            (i16x8.add
              (local.get $two)
              (i16x8.narrow_i32x4_s
                (i32x4.add
                  (i32x4.shr_s (i32x4.extmul_low_i16x8_s (local.get $a) (local.get $n)) (i32.const 16))
                  (i32x4.shr_s (i32x4.extmul_low_i16x8_s (local.get $b) (local.get $f)) (i32.const 16)))
                (i32x4.add
                  (i32x4.shr_s (i32x4.extmul_high_i16x8_s (local.get $a) (local.get $n)) (i32.const 16))
                  (i32x4.shr_s (i32x4.extmul_high_i16x8_s (local.get $b) (local.get $f)) (i32.const 16)))))
            (i32.const 2))
          (i16x8.shr_s
            (i16x8.add
              (local.get $two)
              (i16x8.narrow_i32x4_s
                (i32x4.add
                  (i32x4.shr_s (i32x4.extmul_low_i16x8_s (local.get $c) (local.get $n)) (i32.const 16))
                  (i32x4.shr_s (i32x4.extmul_low_i16x8_s (local.get $d) (local.get $f)) (i32.const 16)))
                (i32x4.add
                  (i32x4.shr_s (i32x4.extmul_high_i16x8_s (local.get $c) (local.get $n)) (i32.const 16))
                  (i32x4.shr_s (i32x4.extmul_high_i16x8_s (local.get $d) (local.get $f)) (i32.const 16)))))
            (i32.const 2))))
      (local.set $upper (i32.add (local.get $upper) (i32.const 32)))
      (local.set $lower (i32.add (local.get $lower) (i32.const 32)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $out) (local.get $end)))))

  ;; Pillow's horizontal pass: out[x] = sum of `size` weighted pixels from offsets[x] on, in 22-bit fixed point.
  ;; size is even; unused weights are 0.
  (func (export "filterRow")
    (param $source i32) (param $offsets i32) (param $weights i32) (param $size i32) (param $count i32) (param $out i32)
    (local $end i32) (local $from i32) (local $stop i32) (local $pixels v128) (local $sum v128) (local $odd v128)
    (local.set $end (i32.add (local.get $offsets) (i32.shl (local.get $count) (i32.const 2))))
    (loop $pixel
      (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $odd (v128.const i32x4 0 0 0 0))
      (local.set $from (i32.add (local.get $source) (i32.load (local.get $offsets))))
      (local.set $stop (i32.add (local.get $weights) (i32.shl (local.get $size) (i32.const 2))))
      (loop $pair
        (local.set $pixels (v128.load64_zero (local.get $from)))
        (local.set $sum
          (i32x4.add
            (local.get $sum)
            (i32x4.mul
              (i8x16.swizzle
                (local.get $pixels)
                (v128.const i8x16 0 -128 -128 -128 1 -128 -128 -128 2 -128 -128 -128 -128 -128 -128 -128))
              (v128.load32_splat (local.get $weights)))))
        (local.set $odd
          (i32x4.add
            (local.get $odd)
            (i32x4.mul
              (i8x16.swizzle
                (local.get $pixels)
                (v128.const i8x16 3 -128 -128 -128 4 -128 -128 -128 5 -128 -128 -128 -128 -128 -128 -128))
              (v128.load32_splat offset=4 (local.get $weights)))))
        (local.set $from (i32.add (local.get $from) (i32.const 6)))
        (local.set $weights (i32.add (local.get $weights) (i32.const 8)))
        (br_if $pair (i32.lt_u (local.get $weights) (local.get $stop))))
      (local.set $sum (i32x4.shr_s (i32x4.add (local.get $sum) (local.get $odd)) (i32.const 22)))
      (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
      (v128.store32_lane 0 (local.get $out) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
      (local.set $out (i32.add (local.get $out) (i32.const 3)))
      (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
      (br_if $pixel (i32.lt_u (local.get $offsets) (local.get $end)))))

  ;; Pillow's vertical pass over `bytes` values: `count` weighted rows of a ring of `slots` rows, from slot `first` on.
  (func (export "filterColumns")
    (param $rows i32) (param $stride i32) (param $slots i32) (param $first i32)
    (param $weights i32) (param $count i32) (param $out i32) (param $bytes i32)
    (local $end i32) (local $slot i32) (local $weight i32) (local $stop i32) (local $v v128) (local $w v128)
    (local $low v128) (local $high v128) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $end (i32.add (local.get $out) (local.get $bytes)))
    (local.set $stop (i32.add (local.get $weights) (i32.shl (local.get $count) (i32.const 2))))
    (loop $block
      (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (local.set $b (local.get $a))
      (local.set $c (local.get $a))
      (local.set $d (local.get $a))
      (local.set $slot (local.get $first))
      (local.set $weight (local.get $weights))
      (loop $row
        (local.set $v (v128.load (i32.add (local.get $rows) (i32.mul (local.get $slot) (local.get $stride)))))
        (local.set $w (v128.load32_splat (local.get $weight)))
        (local.set $low (i16x8.extend_low_i8x16_u (local.get $v)))
        (local.set $high (i16x8.extend_high_i8x16_u (local.get $v)))
        (local.set $a (i32x4.add (local.get $a) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $low)) (local.get $w))))
        (local.set $b (i32x4.add (local.get $b) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $low)) (local.get $w))))
        (local.set $c (i32x4.add (local.get $c) (i32x4.mul (i32x4.extend_low_i16x8_u (local.get $high)) (local.get $w))))
        (local.set $d (i32x4.add (local.get $d) (i32x4.mul (i32x4.extend_high_i16x8_u (local.get $high)) (local.get $w))))
        (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
        (local.set $slot (select (i32.const 0) (local.get $slot) (i32.eq (local.get $slot) (local.get $slots))))
        (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
        (br_if $row (i32.lt_u (local.get $weight) (local.get $stop))))
      (v128.store
        (local.get $out)
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
          (i16x8.narrow_i32x4_s
            (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $block (i32.lt_u (local.get $out) (local.get $end)))))

  ;; out = (value - mean) * scale as 32-bit floats; table: mean, then scale, each for the 12 values of four pixels.
  (func (export "normaliseRow") (param $source i32) (param $count i32) (param $table i32) (param $out i32)
    (local $end i32) (local $v v128) (local $low v128)
    (local $m0 v128) (local $m1 v128) (local $m2 v128) (local $s0 v128) (local $s1 v128) (local $s2 v128)
    (local.set $m0 (v128.load (local.get $table)))
    (local.set $m1 (v128.load offset=16 (local.get $table)))
    (local.set $m2 (v128.load offset=32 (local.get $table)))
    (local.set $s0 (v128.load offset=48 (local.get $table)))
    (local.set $s1 (v128.load offset=64 (local.get $table)))
    (local.set $s2 (v128.load offset=80 (local.get $table)))
    (local.set $end (i32.add (local.get $source) (local.get $count)))
    (loop $block
      (local.set $v (v128.load (local.get $source)))
      (local.set $low (i16x8.extend_low_i8x16_u (local.get $v)))
      (v128.store
        (local.get $out)
        (f32x4.mul
          (local.get $s0)
          (f32x4.sub (f32x4.convert_i32x4_u (i32x4.extend_low_i16x8_u (local.get $low))) (local.get $m0))))
      (v128.store offset=16
        (local.get $out)
        (f32x4.mul
          (local.get $s1)
          (f32x4.sub (f32x4.convert_i32x4_u (i32x4.extend_high_i16x8_u (local.get $low))) (local.get $m1))))
      (v128.store offset=32
        (local.get $out)
        (f32x4.mul
          (local.get $s2)
          (f32x4.sub
            (f32x4.convert_i32x4_u (i32x4.extend_low_i16x8_u (i16x8.extend_high_i8x16_u (local.get $v))))
            (local.get $m2))))
      (local.set $source (i32.add (local.get $source) (i32.const 12)))
      (local.set $out (i32.add (local.get $out) (i32.const 48)))
      (br_if $block (i32.lt_u (local.get $source) (local.get $end))))))
