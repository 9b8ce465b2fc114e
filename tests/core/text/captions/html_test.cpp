#include "core/text/captions/html.h"

#include <gtest/gtest.h>

namespace kvscope {
namespace {

TEST(HtmlEntity, NamesOfTheStandard) {
  EXPECT_EQ(html_entity("AElig;"), "\u00C6");  // the first of the list
  EXPECT_EQ(html_entity("zwnj;"), "\u200C");   // the last
  EXPECT_EQ(html_entity("eacute"), "\u00E9");
  EXPECT_EQ(html_entity("eacute;"), "\u00E9");
  EXPECT_EQ(html_entity("NotEqualTilde;"), "\u2242\u0338");
  EXPECT_EQ(html_entity("Afr;"), "\U0001D504");
  EXPECT_EQ(html_entity("bsol;"), "\\");
  EXPECT_EQ(html_entity("quot;"), "\"");
  EXPECT_EQ(html_entity("Tab;"), "\t");
  EXPECT_EQ(html_entity("hearts"), std::nullopt);  // only with its ;
  EXPECT_EQ(html_entity("nosuch;"), std::nullopt);
  EXPECT_EQ(html_entity(""), std::nullopt);
}

TEST(HtmlUnescape, Names) {
  EXPECT_EQ(html_unescape("&lt;b&gt; &amp;amp; &copy 2020"), "<b> &amp; \u00A9 2020");
  EXPECT_EQ(html_unescape("&notit; &notin; &ampx"), "\u00ACit; \u2209 &x");
  EXPECT_EQ(html_unescape("&nosuch; & &; && &hearts"), "&nosuch; & &; && &hearts");
  EXPECT_EQ(html_unescape("&CounterClockwiseContourIntegral;"), "\u2233");
}

TEST(HtmlUnescape, Numbers) {
  EXPECT_EQ(html_unescape("&#65;&#x42;&#X43 &#68x"), "ABC Dx");
  EXPECT_EQ(html_unescape("&#128;&#x9F;&#129;"), "\u20AC\u0178\u0081");
  EXPECT_EQ(html_unescape("&#0;&#xD800;&#x110000;&#99999999999999999999999;"),
            "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(html_unescape("a&#1;&#127;&#xFFFE;&#x10FFFF;&#xFDD0;b"), "ab");
  EXPECT_EQ(html_unescape("&# &#; &#x; &#xg;"), "&# &#; &#x; &#xg;");
}

TEST(HtmlText, MarkupGoes) {
  EXPECT_EQ(html_text("<p>one <b class=\"a>b\" id='c>d' e=f>two</b></p>"), "one two");
  EXPECT_EQ(html_text("a<br/>b<!-- <i> -->c<!doctype html>d<?php x ?>e</>f"), "abcdef");
  EXPECT_EQ(html_text("a<![CDATA[b<c>]]>d<![if x]]>e"), "ab<c>de");
  EXPECT_EQ(html_text("a<script>if (b < 1) </b></script>c<style>d</style>e"), "ace");
  EXPECT_EQ(html_text("a<ruby>b<rp>(</rp><rt>c<i>d</i></rt></ruby>e<template>f</template>g"),
            "abeg");
  EXPECT_EQ(html_text("a<script/>b"), "ab");
  EXPECT_EQ(html_text(""), "");
}

TEST(HtmlText, WhatIsNoMarkupStays) {
  EXPECT_EQ(html_text("1 < 2 > 1, i <3 u, a<"), "1 < 2 > 1, i <3 u, a<");
  EXPECT_EQ(html_text("a <b c"), "a <b c");
  EXPECT_EQ(html_text("a <b c='&amp; <i>d"), "a <b c='&amp; <i>d");
  EXPECT_EQ(html_text("a <!-- b"), "a <!-- b");
  EXPECT_EQ(html_text("<script>never closed"), "");
}

TEST(HtmlText, CharacterReferences) {
  EXPECT_EQ(html_text("&lt;b&gt; &amp;amp; &copy 1"), "<b> &amp; \u00A9 1");
  EXPECT_EQ(html_text("&nosuch; &copy"), "&nosuch &copy");  // an unknown name loses its ;
  EXPECT_EQ(html_text("&#65; &#x42; &#150; &#xD800; &#x110000;"), "A B \u2013 \uFFFD \uFFFD");
}

// No text makes it slow: every pattern is bounded and every step moves on.
TEST(HtmlText, HostileTextsEnd) {
  for (const char* unit : {"<a ", "<a b='", "<", "</", "<!--", "<![", "&", "&#", "&a", "<rt>"}) {
    std::string text;
    for (int i = 0; i < 500; ++i) text += unit;
    EXPECT_LE(html_text(text).size(), text.size()) << unit;
  }
}

}  // namespace
}  // namespace kvscope
